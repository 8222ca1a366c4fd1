//! One run across processes: this test program, and the same program again as its child.

use std::process::Command;

use expect_test::expect;
use futures::executor::block_on;
use timbal::{Trace, Traceparent, current, runnable};

/// The header that the child reads from its environment.
const HEADER: &str = "TRACEPARENT";

#[runnable]
async fn ask(question: &str) -> String {
    remember(question).await;
    let header = current().unwrap().traceparent();
    let answered = in_another_process(&header);
    remember("the answer").await;
    answered
}

#[runnable]
async fn remember(text: &str) -> usize {
    text.len()
}

/// Gives the child's spans, which it prints.
fn in_another_process(header: &Traceparent) -> String {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "the_child", "--nocapture"]).env(HEADER, header.to_string());
    let printed = child.output().unwrap();
    let printed = String::from_utf8(printed.stdout).unwrap();
    let trace = printed.lines().find_map(|line| Some(line.split_once("trace: ")?.1));
    trace.unwrap_or_else(|| panic!("the child says no more than\n{printed}")).to_owned()
}

#[runnable]
async fn answer(question: &str) -> String {
    timbal::usage("words", 2);
    remember(question).await;
    "so what".to_owned()
}

/// The child's side. Without a header it is a test like any other: of a run of its own.
#[test]
fn the_child() {
    let mut call = answer("why?");
    let header = std::env::var(HEADER).ok().and_then(|header| header.parse().ok());
    if let Some(parent) = header {
        call = call.continues(parent);
    }
    let (_, trace) = block_on(call.traced());
    assert_eq!(trace.root().unwrap().parent_call_id.is_some(), header.is_some());
    println!("trace: {}", serde_json::to_string(&trace).unwrap());
}

#[test]
fn two_processes_make_one_trace() {
    let (childs, ours) = block_on(ask("why?").traced());
    let childs: Trace = serde_json::from_str(&childs).unwrap();
    assert_eq!(childs.run_id, ours.run_id);
    let processes = [&ours, &childs].map(|trace| trace.root().unwrap().process.pid);
    assert_ne!(processes[0], processes[1]);

    let whole = Trace::new([ours.spans, childs.spans].concat()).unwrap();
    let mut whole_tree: Vec<_> = whole.to_string().lines().map(shorten).collect();
    whole_tree.sort(); // the processes' clocks are not ours to compare
    expect![[r#"
            remember {"text":"why?"} -> 4
          answer {"question":"why?"} -> "so what"
          remember {"text":"the answer"} -> 10
          remember {"text":"why?"} -> 4
        ask {"question":"why?"}
    "#]]
    .assert_eq(&(whole_tree.join("\n") + "\n"));
    assert_eq!(whole.children(whole.root().unwrap().call_id).len(), 3);
}

/// What the parent remembers of the child's answer is the whole of it.
fn shorten(line: &str) -> String {
    line.split(" -> \"{").next().unwrap_or(line).to_owned()
}

#[test]
fn a_bad_header_can_be_ignored() {
    let call = answer("why?");
    let call = match "not a header".parse::<Traceparent>() {
        Ok(parent) => call.continues(parent),
        Err(error) => {
            let expected =
                "expected `00-<32 hex digits>-<16 hex digits>-<2 hex digits>`, in lowercase";
            assert_eq!(error.to_string(), expected);
            call
        }
    };
    assert!(block_on(call.traced()).1.root().unwrap().parent_call_id.is_none());
}

#[test]
fn headers_are_read_as_the_standard_asks() {
    let ids = "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7";
    let is_sampled = |text: String| text.parse::<Traceparent>().map(|header| header.is_sampled());
    assert_eq!(is_sampled(format!("00-{ids}-00")), Ok(false));
    assert_eq!(is_sampled(format!("00-{ids}-03")), Ok(true)); // flags of level 2 are no error
    assert_eq!(is_sampled(format!("01-{ids}-01-what-comes")), Ok(true)); // nor are later versions
    assert_eq!(is_sampled(format!("01-{ids}-01")), Ok(true));
    for bad in [
        "00-{}-01-",
        "00-{}-1",
        "00-{}-0g",
        "0-{}-01",
        "00-{}-01 ",
        " 00-{}-01",
        "00-{}",
        "01-{}-01x",
    ] {
        assert!(is_sampled(bad.replace("{}", ids)).is_err(), "{bad}");
    }
    let bytes = "00-é4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01";
    assert!(bytes.parse::<Traceparent>().is_err());
}
