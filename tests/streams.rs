//! Functions that return streams: what their items are to readers, and what they come to.

use std::cell::Cell;
use std::pin::{Pin, pin};
use std::rc::Rc;

use expect_test::expect;
use futures::executor::block_on;
use futures::stream::{self, BoxStream};
use futures::{FutureExt, Stream, StreamExt, TryStreamExt};
use serde::Serialize;
use timbal::{StatusCode, Timbal, runnable};
use timbal_tests::{Heard, check, check_inside, output, poll_and_drop};

#[runnable]
async fn double(n: u64) -> u64 {
    n * 2
}

#[runnable]
fn words(text: &str) -> impl Stream<Item = &str> {
    stream::iter(text.split_inclusive(' '))
}

#[runnable]
fn doubles(to: u64) -> impl Stream<Item = u64> + Send {
    if to == 0 {
        return stream::iter(0..0).then(double);
    }
    stream::iter(0..to).then(double)
}

#[runnable]
async fn later(n: u64) -> impl Stream<Item = u64> + Unpin {
    let first = double(n).await;
    stream::iter([first, n])
}

#[runnable]
fn parsed(text: &str) -> impl Stream<Item = Result<u8, std::num::ParseIntError>> {
    stream::iter(text.split(' ').map(str::parse))
}

#[runnable]
fn unpinned(n: u8) -> Box<dyn Stream<Item = u8> + Unpin> {
    Box::new(stream::iter(0..n))
}

#[runnable]
fn boxed<'a>(text: &'a str) -> BoxStream<'a, char> {
    let chars = text.chars();
    stream::iter(chars).boxed()
}

#[runnable]
fn pinned(n: u64) -> Pin<Box<dyn Stream<Item = u64> + Send>> {
    Box::pin(stream::once(async move { double(n).await }))
}

#[runnable]
fn panics() -> impl Stream<Item = u8> {
    stream::iter(0..3).map(|n| if n < 2 { n } else { panic!("at {n}") })
}

#[test]
fn boxed_ones_need_no_pin_where_their_bodies_need_none() {
    check_inside(
        async {
            let mut call: Box<dyn Stream<Item = u8> + Unpin> = unpinned(2);
            assert_eq!(call.next().await, Some(0));
            assert_eq!(unpinned(1).collect::<Vec<_>>().await, [0]);
        },
        expect![[r#"
            START  in
            START  in.unpinned
            CHUNK  in.unpinned 0
            START  in.unpinned
            CHUNK  in.unpinned 0
            OUTPUT in.unpinned {"n":1} -> [0]
            OUTPUT in.unpinned {"n":2} -- cancelled (dropped)
            OUTPUT in null -> null
        "#]],
    );
}

#[test]
fn they_give_what_they_gave() {
    block_on(async {
        assert_eq!(words("a b").collect::<Vec<_>>().await, ["a ", "b"]);
        let mut items = later(1).await;
        assert_eq!((items.next().await, items.size_hint()), (Some(2), (1, Some(1))));
        assert_eq!(doubles(3).fold(0, async |sum, n| sum + n).await, 6);
        assert_eq!(later(1).await.collect::<Vec<_>>().await, [2, 1]);
        assert_eq!(boxed("ab").next().await, Some('a'));
        let merged = stream::select(doubles(1), pinned(3));
        assert_eq!(merged.collect::<Vec<_>>().await, [0, 6]);
        assert!(parsed("1 x 3").try_collect::<Vec<_>>().await.is_err());
    });
}

#[test]
fn their_items_are_chunks() {
    check(
        words("a b").events(),
        expect![[r#"
        START  words
        CHUNK  words "a "
        CHUNK  words "b"
        OUTPUT words {"text":"a b"} -> "a b"
    "#]],
    );
}

#[test]
fn what_they_call_is_below_them() {
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
fn an_async_fn_of_a_stream_is_one_call() {
    check(
        later(1).events(),
        expect![[r#"
        START  later
        START  later.double
        OUTPUT later.double {"n":1} -> 2
        CHUNK  later 2
        CHUNK  later 1
        OUTPUT later {"n":1} -> [2,1]
    "#]],
    );
    let (items, trace) = block_on(later(1).traced());
    assert_eq!(items, [2, 1]);
    expect![[r#"
        later {"n":1} -> [2,1]
          double {"n":1} -> 2"#]]
    .assert_eq(&trace.to_string());
}

#[test]
fn boxed_ones_keep_their_types() {
    let call = timbal::call!("in", async {
        let mut streams: Vec<BoxStream<'_, u64>> = vec![pinned(1)];
        let _never_polled = pinned(2);
        streams.remove(0).collect::<Vec<_>>().await;
        boxed("ab").collect::<String>().await
    });
    check(
        call.events(),
        expect![[r#"
        START  in
        START  in.pinned
        START  in.pinned.double
        OUTPUT in.pinned.double {"n":1} -> 2
        CHUNK  in.pinned 2
        OUTPUT in.pinned {"n":1} -> [2]
        START  in.boxed
        CHUNK  in.boxed "a"
        CHUNK  in.boxed "b"
        OUTPUT in.boxed {"text":"ab"} -> "ab"
        OUTPUT in null -> "ab"
    "#]],
    );
}

#[test]
fn what_is_called_between_two_items_is_not_below() {
    let call = timbal::call!("in", async {
        let mut items = words("a b");
        while let Some(item) = items.next().await {
            double(item.len() as u64).await;
        }
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
        OUTPUT in null -> null
    "#]],
    );
}

#[test]
fn errors_pass_and_the_first_is_the_calls() {
    check(
        parsed("1 x 3 ").events(),
        expect![[r#"
        START  parsed
        CHUNK  parsed 1
        CHUNK  parsed {"type":"std::num::ParseIntError","message":"invalid digit found in string"}
        CHUNK  parsed 3
        CHUNK  parsed {"type":"std::num::ParseIntError","message":"cannot parse integer from empty string"}
        OUTPUT parsed {"text":"1 x 3 "} !! std::num::ParseIntError: invalid digit found in string
    "#]],
    );
    let done = block_on(parsed("1 x 3 ").events().collect());
    assert_eq!(done.output.as_json(), "[1,3]");
    assert!(done.error.unwrap().traceback().contains("in parsed"));
}

#[test]
fn panics_keep_what_was_before() {
    check(
        panics().events(),
        expect![[r#"
        START  panics
        CHUNK  panics 0
        CHUNK  panics 1
        OUTPUT panics {} !! panic: at 2
    "#]],
    );
    let done = block_on(panics().events().collect());
    assert_eq!(done.output.as_json(), "[0,1]");
    let panic = std::panic::AssertUnwindSafe(panics().collect::<Vec<_>>()).catch_unwind();
    assert!(block_on(panic).is_err());
}

#[test]
fn dropped_streams_are_cancelled_and_keep_what_was_before() {
    let heard = Heard::default();
    let timbal = Timbal::builder().subscriber(heard.clone()).build();
    let mut stream = words("a b c").recorded_by(&timbal);
    block_on(async { (stream.next().await, stream.next().await) });
    drop(stream);
    drop(words("never polled").recorded_by(&timbal));
    poll_and_drop(1, later(1).recorded_by(&timbal));
    expect![[r#"
        START  words
        CHUNK  words "a "
        CHUNK  words "b "
        OUTPUT words {"text":"a b c"} -- cancelled (dropped)
        START  later
        START  later.double
        OUTPUT later.double {"n":1} -> 2
        OUTPUT later {"n":1} -- cancelled (dropped)
    "#]]
    .assert_eq(&heard.show());
}

#[test]
fn a_stream_dropped_at_its_error_has_failed() {
    let call = timbal::call!("in", async { parsed("1 x 3").try_collect::<Vec<_>>().await.ok() });
    let (_, trace) = block_on(call.traced());
    let span = trace.find("in.parsed").unwrap();
    assert_eq!((span.output.as_json(), span.status.code), ("[1]", StatusCode::Error));
}

#[test]
fn the_output_of_a_dropped_stream_is_in_its_span() {
    let call = timbal::call!("in", async { words("a b c").next().await });
    let (_, trace) = block_on(call.traced());
    let span = trace.find("in.words").unwrap();
    assert_eq!((span.output.as_json(), span.status.code), ("\"a \"", StatusCode::Cancelled));
    assert_eq!(span.chunks, 1);
}

#[derive(Serialize, Default)]
struct Stats {
    least: u64,
    most: u64,
}

impl Stats {
    fn add(&mut self, n: &u64) {
        self.most = self.most.max(*n);
    }
}

mod folds {
    use super::*;

    #[runnable(fold = "concat")]
    fn concat(to: u64) -> impl Stream<Item = u64> {
        stream::iter(0..to)
    }

    #[runnable(fold = "list")]
    fn list() -> impl Stream<Item = char> {
        stream::iter("a\"".chars())
    }

    #[runnable(fold = "none")]
    fn none() -> impl Stream<Item = String> {
        stream::iter(["a".to_owned()])
    }

    #[runnable(fold = Stats::add)]
    fn own() -> impl Stream<Item = Result<u64, String>> {
        stream::iter([Ok(1), Ok(5), Ok(3)])
    }

    #[runnable(skip_output)]
    fn skipped() -> impl Stream<Item = std::sync::Arc<dyn Fn()>> {
        stream::iter([std::sync::Arc::new(|| ()) as _])
    }

    fn tokens(n: &u64) -> [(&'static str, u64); 1] {
        [("tokens", *n)]
    }

    #[runnable(usage = tokens)]
    fn used() -> impl Stream<Item = u64> {
        stream::iter([1, 2])
    }

    #[runnable]
    fn generic<T: Serialize>(#[skip] items: Vec<T>) -> impl Stream<Item = T> {
        stream::iter(items)
    }

    #[test]
    fn texts_are_joined_and_others_listed() {
        assert_eq!(output(words("a \"b\"").events()), r#""a \"b\"" success"#);
        assert_eq!(output(words("").events()), "null success");
        assert_eq!(output(doubles(3).events()), "[0,2,4] success");
        assert_eq!(output(generic(vec!["a".to_owned()]).events()), "\"a\" success");
        assert_eq!(output(generic(vec![Some('a')]).events()), "[\"a\"] success");
        assert_eq!(output(generic(vec!['a', '\n']).events()), "\"a\\n\" success");
    }

    #[test]
    fn are_what_they_are_asked_to_be() {
        assert_eq!(output(concat(3).events()), "\"012\" success");
        assert_eq!(output(list().events()), r#"["a","\""] success"#);
        assert_eq!(output(none().events()), "null success");
        assert_eq!(output(own().events()), r#"{"least":0,"most":5} success"#);
        assert_eq!(block_on(used().events().collect()).usage["tokens"], 3);
        check(
            skipped().events(),
            expect![[r#"
            START  skipped
            CHUNK  skipped null
            OUTPUT skipped {} -> null
        "#]],
        );
    }

    #[test]
    fn keep_the_limit_of_a_payload() {
        let text = "0123456789".repeat(60_000);
        let done = block_on(generic(vec![text.clone(), text]).events().collect());
        let json = done.output.to_value();
        assert_eq!(json["$cut"]["bytes"], 1_200_002);
        assert_eq!(json["$cut"]["head"].as_str().unwrap().len(), 1_024);
        assert!(done.output.get::<String>().is_err());
    }
}

#[test]
fn the_reader_sets_the_pace() {
    let emitted = Rc::new(Cell::new(0));
    let counter = Rc::clone(&emitted);
    let call = timbal::call!("in", async move {
        let mut items = pin!(doubles(5_000));
        while items.next().await.is_some() {
            counter.set(counter.get() + 1);
        }
    });
    block_on(async {
        let mut events = call.events();
        let mut read = 0;
        while events.next().await.is_some() {
            read += 1;
            assert!(emitted.get() <= read + 1_024, "{} ahead of {read}", emitted.get());
        }
        assert_eq!((read, emitted.get()), (15_004, 5_000));
    });
}

#[test]
fn nothing_is_captured_where_nobody_hears() {
    struct Loud;
    impl Serialize for Loud {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            panic!("nobody hears")
        }
    }
    #[runnable]
    fn loud() -> impl Stream<Item = Loud> {
        assert!(timbal::current().is_none());
        stream::repeat_with(|| Loud).take(1_000)
    }
    assert_eq!(block_on(loud().count()), 1_000);
}

#[test]
fn they_are_send_and_unpin_when_their_streams_are() {
    fn is_send(value: impl Send) -> impl Send {
        value
    }
    fn is_unpin(_: impl Unpin) {}
    drop(is_send(words("a")));
    drop(is_send(doubles(1)));
    drop(is_send(words("a").events()));
    drop(is_send(words("a").traced()));
    is_unpin(words("a"));
    is_unpin(block_on(later(1)));
}

#[test]
fn what_is_asked_comes_before_the_first_poll() {
    let timbal = Timbal::builder().build();
    let (_, trace) = block_on(words("a").recorded_by(&timbal).metadata("key", 1).traced());
    assert_eq!(trace.root().unwrap().metadata["key"], 1);
    let mut polled = words("a b").recorded_by(&timbal);
    block_on(polled.next());
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| polled.events())).is_err());
}
