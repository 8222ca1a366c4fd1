//! Functions that return iterators: what their items are to readers, and what they come to.

use std::panic::{AssertUnwindSafe, catch_unwind};

use expect_test::expect;
use futures::executor::block_on;
use timbal::{Event, StatusCode, Timbal, runnable};
use timbal_tests::{Heard, check, read_all};

#[runnable]
fn double(n: u64) -> u64 {
    n * 2
}

#[runnable]
fn doubles(to: u64) -> impl Iterator<Item = u64> {
    if to == 0 {
        return (0..0).map(double as fn(u64) -> u64);
    }
    (0..to).map(double as fn(u64) -> u64)
}

#[runnable]
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive(' ')
}

#[runnable]
fn numbers(to: u8) -> impl DoubleEndedIterator<Item = u8> + ExactSizeIterator {
    0..to
}

#[runnable]
fn parsed<'a>(text: &'a str) -> impl Iterator<Item = Result<u8, std::num::ParseIntError>> + 'a {
    text.split(' ').map(str::parse)
}

#[runnable]
fn boxed(text: &str) -> Box<dyn Iterator<Item = char> + '_> {
    Box::new(text.chars())
}

#[runnable]
fn panics(at_once: bool) -> impl Iterator<Item = u8> {
    assert!(!at_once, "at once");
    (0..3).map(|n| if n < 2 { n } else { panic!("at {n}") })
}

#[test]
fn they_give_what_they_gave() {
    assert_eq!(words("a b").collect::<Vec<_>>(), ["a ", "b"]);
    assert_eq!(doubles(4).map(|n| n + 1).sum::<u64>(), 16);
    assert_eq!(boxed("ab").last(), Some('b'));
    assert!(parsed("1 x").collect::<Result<Vec<_>, _>>().is_err());
    for (n, double) in doubles(2).enumerate() {
        assert_eq!(n as u64 * 2, double);
    }
}

#[test]
fn they_know_their_length_and_both_ends() {
    assert_eq!(numbers(3).len(), 3);
    assert_eq!(numbers(3).rev().collect::<Vec<_>>(), [2, 1, 0]);
    assert_eq!(numbers(3).zip(0..2).rev().collect::<Vec<_>>(), [(1, 1), (0, 0)]);
    let mut items = numbers(3);
    assert_eq!(
        (items.next(), items.next_back(), items.size_hint()),
        (Some(0), Some(2), (1, Some(1)))
    );
}

#[test]
fn their_items_are_chunks() {
    check(
        doubles(2).events(),
        expect![[r#"
        START  doubles
        START  doubles.double
        OUTPUT doubles.double {"n":0} -> 0
        CHUNK  doubles 0
        START  doubles.double
        OUTPUT doubles.double {"n":1} -> 2
        CHUNK  doubles 2
        OUTPUT doubles {"to":2} -> [0,2]
    "#]],
    );
}

#[test]
fn texts_are_joined_and_others_listed() {
    let output = |events: timbal::Events<_>| block_on(events.collect()).output.to_string();
    assert_eq!(output(words("a b").events()), "\"a b\"");
    let (items, trace) = numbers(2).traced();
    assert_eq!((items, trace.to_string().as_str()), (vec![0, 1], r#"numbers {"to":2} -> [0,1]"#));
    assert_eq!(block_on(numbers(0).events().collect()).output.as_json(), "null");
}

#[test]
fn errors_pass_and_the_first_is_the_calls() {
    check(
        parsed("1 x 3").events(),
        expect![[r#"
        START  parsed
        CHUNK  parsed 1
        CHUNK  parsed {"type":"std::num::ParseIntError","message":"invalid digit found in string"}
        CHUNK  parsed 3
        OUTPUT parsed {"text":"1 x 3"} !! std::num::ParseIntError: invalid digit found in string
    "#]],
    );
}

#[test]
fn panics_keep_what_was_before() {
    check(
        panics(false).events(),
        expect![[r#"
        START  panics
        CHUNK  panics 0
        CHUNK  panics 1
        OUTPUT panics {"at_once":false} !! panic: at 2
    "#]],
    );
    check(
        panics(true).events(),
        expect![[r#"
        START  panics
        OUTPUT panics {"at_once":true} !! panic: at once
    "#]],
    );
    assert_eq!(block_on(panics(false).events().collect()).output.as_json(), "[0,1]");
    assert!(catch_unwind(AssertUnwindSafe(|| panics(true).size_hint())).is_err());
    assert!(catch_unwind(AssertUnwindSafe(|| panics(false).count())).is_err());
}

#[test]
fn dropped_ones_are_cancelled_and_keep_what_was_before() {
    let heard = Heard::default();
    let timbal = Timbal::builder().subscriber(heard.clone()).build();
    let mut items = words("a b c").recorded_by(&timbal);
    items.next();
    drop(items);
    drop(words("never asked").recorded_by(&timbal));
    expect![[r#"
        START  words
        CHUNK  words "a "
        OUTPUT words {"text":"a b c"} -- cancelled (dropped)
    "#]]
    .assert_eq(&heard.show());
    let (_, trace) =
        block_on(timbal::call!("in", async { words("a b").next().is_some() }).traced());
    let span = trace.find("in.words").unwrap();
    assert_eq!((span.output.as_json(), span.status.code), ("\"a \"", StatusCode::Cancelled));
}

#[test]
fn what_is_called_between_two_items_is_not_below() {
    let call = timbal::call!("in", async {
        for item in words("a b") {
            double(item.len() as u64);
        }
        boxed("c").count()
    });
    check(
        call.events(),
        expect![[r#"
        START  in
        START  in.words
        CHUNK  in.words "a "
        START  in.double
        OUTPUT in.double {"n":2} -> 4
        CHUNK  in.words "b"
        START  in.double
        OUTPUT in.double {"n":1} -> 2
        OUTPUT in.words {"text":"a b"} -> "a b"
        START  in.boxed
        CHUNK  in.boxed "c"
        OUTPUT in.boxed {"text":"c"} -> "c"
        OUTPUT in null -> 1
    "#]],
    );
}

#[test]
fn they_never_wait_for_a_reader() {
    let call = timbal::call!("in", async { numbers(200).chain(numbers(200)).count() });
    let events = block_on(read_all(call.events()));
    assert_eq!(events.len(), 2 + 2 * 202);
    let call = timbal::call!("in", async { doubles(5_000).count() });
    let events = block_on(read_all(call.events()));
    let Some(Event::Output(done)) = events.iter().rev().nth(1) else { panic!() };
    let chunks = events.iter().filter(|event| matches!(event, Event::Chunk(_))).count();
    assert_eq!(done.metadata["chunks_left_out"], 5_000 - chunks);
}

#[test]
fn they_are_send_and_unpin() {
    fn is_send_and_unpin(_: impl Send + Unpin) {}
    is_send_and_unpin(numbers(1));
    is_send_and_unpin(words("a").events());
}
