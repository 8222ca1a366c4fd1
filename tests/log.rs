//! The log: what people and programs see of events.

use expect_test::expect;
use futures::executor::block_on;
use serde_json::value::RawValue;
use timbal::{Event, Log, LogFormat, runnable};
use timbal_tests::{Paper, steady};

#[runnable]
async fn read(path: &str) -> Result<String, std::io::Error> {
    timbal::emit("reading").await;
    timbal::usage("bytes", 3);
    if path == "missing" {
        Err(std::io::Error::other("no such\x1b[2J file"))
    } else {
        Ok("\u{9b}abc".into())
    }
}

#[runnable]
async fn index() -> usize {
    let _ = read("missing").await;
    read("there").await.map_or(0, |text| text.len())
}

fn log(log: impl FnOnce(Paper) -> Log) -> String {
    let paper = Paper::default();
    let timbal = steady().subscriber(log(paper.clone())).build();
    block_on(index().recorded_by(&timbal));
    paper.text()
}

#[test]
fn the_dev_format_is_for_people() {
    expect![[r#"
        index started
          read started
          read ~ "reading"
          read {"path":"missing"} failed in 2.0ms, 3 bytes
            Traceback (most recent call last):
              tests/log.rs:14:9, in index.read
                Err(std::io::Error::other("no such\x1b[2J file"))
            std::io::Error: no such[2J file
          read started
          read ~ "reading"
          read {"path":"there"} -> "abc" in 2.0ms, 3 bytes
        index {} -> 5 in 7.0ms, 6 bytes
    "#]]
    .assert_eq(&log(|paper| Log::to(paper).with_chunks()));
}

#[test]
fn chunks_are_logged_only_if_asked_for() {
    assert!(!log(Log::to).contains("reading"));
}

#[test]
fn the_json_format_is_an_event_a_line() {
    let text = log(|paper| Log::to(paper).with_chunks().with_format(LogFormat::Json));
    let events: Vec<Event> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    expect![[r#"
        START  index
        START  index.read
        CHUNK  index.read "reading"
        OUTPUT index.read {"path":"missing"} !! std::io::Error: no such[2J file
        START  index.read
        CHUNK  index.read "reading"
        OUTPUT index.read {"path":"there"} -> "abc"
        OUTPUT index {} -> 5
    "#]]
    .assert_eq(&timbal_tests::show(&events).replace(|c: char| c.is_control() && c != '\n', ""));
}

#[test]
fn raw_json_of_several_lines_is_logged_in_one() {
    let paper = Paper::default();
    let log = Log::to(paper.clone()).with_format(LogFormat::Json);
    let timbal = steady().subscriber(log).build();
    let raw = RawValue::from_string("[1,\n\"a\\nb\"]".to_owned()).unwrap();
    block_on(timbal::call!("raw", async { raw }).recorded_by(&timbal));
    let events: Vec<Event> =
        paper.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let Event::Output(done) = &events[1] else { panic!("{events:?}") };
    assert_eq!(done.output, serde_json::json!([1, "a\nb"]));
}
