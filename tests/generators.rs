//! Functions that yield: what their items are to readers, and what they return in the end.

use std::pin::pin;

use expect_test::expect;
use futures::executor::block_on;
use futures::{Stream, StreamExt, TryStreamExt};
use timbal::{Timbal, runnable, yield_};
use timbal_tests::{Heard, check, output};

#[runnable]
async fn double(n: u64) -> u64 {
    n * 2
}

#[runnable(yields = u64)]
async fn doubles(to: u64) {
    for n in 0..to {
        yield_!(double(n).await);
    }
}

#[runnable(yields = &str)]
async fn words(text: &str) -> usize {
    let mut count = 0;
    for word in text.split_inclusive(' ') {
        count += 1;
        yield_!(word);
    }
    count
}

#[runnable(yields = u64)]
fn countdown(from: u64) -> String {
    for n in (1..=from).rev() {
        yield_!(n);
    }
    "done".to_owned()
}

#[runnable(try_yields = u8)]
async fn parsed(text: &str) -> Result<usize, std::num::ParseIntError> {
    for word in text.split(' ') {
        yield_!(word.parse()?);
    }
    Ok(text.len())
}

#[runnable(try_yields = u8)]
fn parsed_now(text: &str) -> Result<(), std::num::ParseIntError> {
    for word in text.split(' ') {
        yield_!(word.parse()?);
    }
    Ok(())
}

#[runnable(yields = u64)]
async fn panics() -> u64 {
    yield_!(1);
    panic!("at 2")
}

#[test]
fn an_async_one_is_a_stream() {
    block_on(async {
        assert_eq!(doubles(3).collect::<Vec<_>>().await, [0, 2, 4]);
        let mut words = pin!(words("a b"));
        assert_eq!(words.next().await, Some("a "));
        assert_eq!(words.next().await, Some("b"));
        assert_eq!(words.next().await, None);
        assert_eq!(words.next().await, None);
    });
}

#[test]
fn a_sync_one_is_an_iterator() {
    assert_eq!(countdown(3).map(|n| n * 2).collect::<Vec<_>>(), [6, 4, 2]);
    let mut items = countdown(1);
    assert_eq!((items.next(), items.next(), items.next()), (Some(1), None, None));
    assert!(parsed_now("1 x 3").collect::<Result<Vec<_>, _>>().is_err());
}

#[test]
fn its_items_are_chunks_and_its_output_is_what_it_returns() {
    check(
        words("a b").events(),
        expect![[r#"
        START  words
        CHUNK  words "a "
        CHUNK  words "b"
        OUTPUT words {"text":"a b"} -> 2
    "#]],
    );
    check(
        countdown(2).events(),
        expect![[r#"
        START  countdown
        CHUNK  countdown 2
        CHUNK  countdown 1
        OUTPUT countdown {"from":2} -> "done"
    "#]],
    );
}

#[test]
fn one_that_returns_nothing_comes_to_what_it_yields() {
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
    assert_eq!(output(parsed_now("1 2").events()), "[1,2] success");
    assert_eq!(output(doubles(0).events()), "null success");
}

#[test]
fn an_error_is_its_last_item() {
    block_on(async {
        assert_eq!(parsed("1 2").try_collect::<Vec<_>>().await, Ok(vec![1, 2]));
        let items: Vec<_> = parsed("1 x 3").collect().await;
        assert_eq!((items.len(), items[0].is_ok(), items[1].is_err()), (2, true, true));
    });
    check(
        parsed("1 x 3").events(),
        expect![[r#"
        START  parsed
        CHUNK  parsed 1
        CHUNK  parsed {"type":"std::num::ParseIntError","message":"invalid digit found in string"}
        OUTPUT parsed {"text":"1 x 3"} !! std::num::ParseIntError: invalid digit found in string
    "#]],
    );
    check(
        parsed("1 2").events(),
        expect![[r#"
        START  parsed
        CHUNK  parsed 1
        CHUNK  parsed 2
        OUTPUT parsed {"text":"1 2"} -> 3
    "#]],
    );
    check(
        parsed_now("x").events(),
        expect![[r#"
        START  parsed_now
        CHUNK  parsed_now {"type":"std::num::ParseIntError","message":"invalid digit found in string"}
        OUTPUT parsed_now {"text":"x"} !! std::num::ParseIntError: invalid digit found in string
    "#]],
    );
}

#[test]
fn what_it_returns_comes_after_what_it_yields() {
    block_on(async {
        assert_eq!(words("a b c").returned().await, 3);
        assert_eq!(parsed("1 2").returned().await, Ok(3));
        assert!(parsed("1 x").returned().await.is_err());
        let both = futures::join!(words("a").returned(), doubles(2).returned());
        assert_eq!(both, (1, ()));
    });
    assert_eq!(countdown(2).returned(), "done");
    assert!(parsed_now("x").returned().is_err());
}

#[test]
fn it_returns_also_if_items_were_taken() {
    block_on(async {
        let mut words = pin!(words("a b c"));
        assert_eq!(words.next().await, Some("a "));
        assert_eq!(words.as_mut().returned().await, 3);

        let mut boxed = Box::pin(parsed("1 x"));
        assert_eq!(boxed.next().await, Some(Ok(1)));
        assert!(boxed.returned().await.is_err());

        let mut to_its_end = pin!(parsed("1"));
        while to_its_end.next().await.is_some() {}
        assert_eq!(to_its_end.returned().await, Ok(1));
    });
    let mut items = countdown(2);
    assert_eq!(items.next(), Some(2));
    assert_eq!(items.returned(), "done");
}

/// The first item of a stream that is dropped then.
async fn first<T>(stream: impl Stream<Item = T>) -> Option<T> {
    pin!(stream).next().await
}

#[test]
fn dropped_early_it_is_cancelled_with_what_it_had_yielded() {
    let heard = Heard::default();
    let timbal = Timbal::builder().subscriber(heard.clone()).build();
    assert_eq!(block_on(first(words("a b").recorded_by(&timbal))), Some("a "));
    assert_eq!(countdown(2).recorded_by(&timbal).next(), Some(2));
    drop(doubles(2).recorded_by(&timbal));
    expect![[r#"
        START  words
        CHUNK  words "a "
        OUTPUT words {"text":"a b"} -- cancelled (dropped)
        START  countdown
        CHUNK  countdown 2
        OUTPUT countdown {"from":2} -- cancelled (dropped)
    "#]]
    .assert_eq(&heard.show());
}

#[test]
fn what_was_yielded_before_it_ended_badly_is_kept() {
    let call = timbal::call!("in", async {
        first(words("a b")).await;
        countdown(3).nth(1)
    });
    let (_, trace) = block_on(call.traced());
    expect![[r#"
        in -> 2
          words {"text":"a b"} -- cancelled (dropped)
          countdown {"from":3} -- cancelled (dropped)"#]]
    .assert_eq(&trace.to_string());
    assert_eq!(trace.find("in.words").unwrap().output, "a ");
    assert_eq!(trace.find("in.countdown").unwrap().output.as_json(), "[3,2]");
    assert_eq!(output(panics().events()), "[1] error");
    assert_eq!(output(parsed("1 2 x").events()), "[1,2] error");
}

#[test]
fn a_panic_is_in_its_output_event() {
    check(
        panics().events(),
        expect![[r#"
        START  panics
        CHUNK  panics 1
        OUTPUT panics {} !! panic: at 2
    "#]],
    );
}

#[test]
fn what_it_calls_is_below_it_and_what_its_reader_calls_is_not() {
    let call = timbal::call!("in", async {
        let mut items = pin!(doubles(2));
        while let Some(item) = items.next().await {
            double(item + 10).await;
        }
        for item in countdown(1) {
            double(item).await;
        }
    });
    let (_, trace) = block_on(call.traced());
    expect![[r#"
        in -> null
          doubles {"to":2} -> [0,2]
            double {"n":0} -> 0
            double {"n":1} -> 2
          double {"n":10} -> 20
          double {"n":12} -> 24
          countdown {"from":1} -> "done"
          double {"n":1} -> 2"#]]
    .assert_eq(&trace.to_string());
}

#[test]
fn it_runs_when_it_is_asked_and_not_before() {
    let timbal = Timbal::builder().build();
    let (items, trace) = block_on(words("a b").recorded_by(&timbal).metadata("key", 1).traced());
    assert_eq!((items, &trace.root().unwrap().metadata["key"]), (vec!["a ", "b"], &1.into()));
    let (items, trace) = countdown(2).traced();
    assert_eq!((items, trace.root().unwrap().chunks), (vec![2, 1], 2));
}

#[test]
fn its_traceback_says_what_failed() {
    let done = block_on(parsed("1 x").events().collect());
    expect![[r#"
        Traceback (most recent call last):
          tests/generators.rs:44:29, in parsed
            word.parse()?
        std::num::ParseIntError: invalid digit found in string"#]]
    .assert_eq(done.error.unwrap().traceback());
    let done = block_on(parsed_now("x").events().collect());
    expect![[r#"
        Traceback (most recent call last):
          tests/generators.rs:52:29, in parsed_now
            word.parse()?
        std::num::ParseIntError: invalid digit found in string"#]]
    .assert_eq(done.error.unwrap().traceback());
}

#[test]
#[should_panic(expected = "what this generator returned was taken before")]
fn an_error_that_was_an_item_is_not_returned_again() {
    let mut items = parsed_now("x");
    assert!(items.next().unwrap().is_err());
    drop(items.returned());
}

#[runnable(yields = u64)]
async fn walk(depth: u64) -> u64 {
    yield_!(depth);
    if depth == 0 {
        return 1;
    }
    let mut below = Box::pin(walk(depth - 1));
    while let Some(depth) = below.next().await {
        yield_!(depth);
    }
    below.returned().await + walk_now(depth - 1).returned()
}

#[runnable(yields = u64)]
fn walk_now(depth: u64) -> u64 {
    yield_!(depth);
    if depth == 0 { 1 } else { Box::new(walk_now(depth - 1)).returned() }
}

#[test]
fn it_calls_itself_and_others_of_its_kind() {
    let (items, trace) = block_on(walk(2).traced());
    assert_eq!(items, [2, 1, 0]);
    expect![[r#"
        walk {"depth":2} -> 3
          walk {"depth":1} -> 2
            walk {"depth":0} -> 1
            walk_now {"depth":0} -> 1
          walk_now {"depth":1} -> 1
            walk_now {"depth":0} -> 1"#]]
    .assert_eq(&trace.to_string());
}

#[runnable(yields = u64, name = "tokens", usage = count, metadata(model = "gpt-5"), skip_input)]
async fn used(#[skip] by: Hidden) -> u64 {
    yield_!(by.0);
    3
}

#[runnable(try_yields = u64, usage = count, fold = add)]
fn used_by_items() -> Result<(), String> {
    yield_!(1);
    yield_!(2);
    Err("no more".to_owned())
}

#[runnable(yields = Hidden, skip_output)]
async fn hidden(#[redact] key: &str, _unused: Hidden) -> Hidden {
    yield_!(Hidden(key.len() as u64));
    Hidden(1)
}

struct Hidden(u64);

fn count(n: &u64) -> [(&'static str, u64); 1] {
    [("tokens", *n)]
}

fn add(sum: &mut u64, n: &u64) {
    *sum += n;
}

#[test]
fn options_say_of_it_what_they_say_of_others() {
    let done = block_on(used(Hidden(1)).events().collect());
    assert_eq!(
        (done.path.as_str(), done.usage["tokens"], done.output.get().ok()),
        ("tokens", 3, Some(3))
    );
    assert_eq!((&done.metadata["model"], done.input.as_json()), (&"gpt-5".into(), "null"));
    let done = block_on(used_by_items().events().collect());
    assert_eq!((done.output.as_json(), done.usage["tokens"]), ("3", 3));
    assert_eq!(done.error.unwrap().message(), "no more");
    let done = block_on(hidden("k", Hidden(1)).events().collect());
    assert_eq!((done.output.as_json(), done.input.as_json()), ("null", r#"{"key":"***"}"#));
}

#[test]
fn it_is_send_when_its_body_is() {
    fn is_send<T: Send>(value: T) -> T {
        value
    }
    fn is_unpin(_: impl Unpin) {}
    drop(is_send(words("a")));
    drop(is_send(words("a").returned()));
    drop(is_send(words("a").events()));
    is_unpin(is_send(countdown(1)));
    drop(is_send(parsed_now("1").events()));
}

#[test]
fn where_nobody_hears_nothing_is_captured() {
    struct Loud;
    impl serde::Serialize for Loud {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            panic!("nobody asked")
        }
    }
    #[runnable(yields = Loud)]
    async fn loud() -> Loud {
        assert!(timbal::current().is_none());
        yield_!(Loud);
        Loud
    }
    assert_eq!(block_on(loud().count()), 1);
}

mod parameters {
    use futures::FutureExt;
    use timbal_tests::drops::{self, Noted};

    use super::*;

    macro_rules! both {
        ($parameters:tt $pause:ident $body:block $tail:expr) => {
            #[allow(unused_variables, reason = "what is not used is dropped too")]
            async fn plain $parameters -> usize {
                let $pause = Noted('p');
                $body
                futures::pending!();
                $tail
            }

            #[allow(unused_variables, reason = "what is not used is dropped too")]
            #[runnable(yields = u8)]
            async fn observed $parameters -> usize {
                let $pause = Noted('p');
                $body
                yield_!(1);
                $tail
            }

            #[allow(unused_variables, reason = "what is not used is dropped too")]
            #[runnable(yields = u8)]
            fn observed_now $parameters -> usize {
                let $pause = Noted('p');
                $body
                yield_!(1);
                $tail
            }
        };
    }

    both!((_a: Noted, b: Noted, (c, _): (Noted, Noted), _: Noted) pause {
        drop(b);
    } Noted('t').0.len_utf8());

    /// What is dropped when it is polled so many times, and then dropped.
    fn dropped(times: usize, poll: impl FnOnce(usize)) -> String {
        poll(times);
        drops::take()
    }

    #[test]
    fn are_dropped_as_without_the_attribute() {
        let n = Noted;
        let make = || (n('a'), n('b'), (n('c'), n('d')), n('e'));
        for times in 0..3 {
            let expected = dropped(times, |times| {
                let (a, b, c, d) = make();
                let mut call = pin!(plain(a, b, c, d));
                (0..times).for_each(|_| _ = call.as_mut().now_or_never());
            });
            let polled = dropped(times, |times| {
                let (a, b, c, d) = make();
                let mut call = pin!(observed(a, b, c, d));
                (0..times).for_each(|_| _ = call.next().now_or_never());
            });
            let asked = dropped(times, |times| {
                let (a, b, c, d) = make();
                let _items = observed_now(a, b, c, d).take(times).count();
            });
            assert_eq!((polled.as_str(), asked.as_str()), (&*expected, &*expected));
        }
    }
}

mod places {
    use serde::Serialize;

    use super::*;

    trait Source {
        fn items(&self) -> impl Stream<Item = u8> + Send;

        #[runnable(yields = u8, opaque)]
        async fn all(&mut self, times: u8) -> usize {
            for n in 0..times {
                yield_!(n);
            }
            times.into()
        }

        #[runnable(try_yields = u8, opaque)]
        fn now(&self) -> Result<(), String>
        where
            Self: Sized,
        {
            yield_!(1);
            Err("no more".to_owned())
        }
    }

    #[derive(Serialize, Clone)]
    struct Model {
        parts: Vec<u8>,
    }

    impl Source for Model {
        #[runnable(yields = u8, capture_self)]
        async fn items(&self) {
            for &part in &self.parts {
                yield_!(part);
            }
        }

        fn now(&self) -> impl Iterator<Item = Result<u8, String>> {
            self.parts.iter().copied().map(Ok)
        }
    }

    #[runnable]
    impl Model {
        #[runnable(yields = &mut u8)]
        async fn parts(&mut self) -> &'static str {
            for part in &mut self.parts {
                yield_!(part);
            }
            "all"
        }

        #[runnable(yields = T)]
        fn into<T>(self, #[skip] also: impl IntoIterator<Item = T>) -> Vec<u8>
        where
            T: From<u8> + Serialize,
        {
            for part in self.parts.clone() {
                yield_!(part.into());
            }
            for item in also {
                yield_!(item);
            }
            self.parts
        }

        /// The sum of `N` numbers.
        #[runnable(yields = Vec<u64>)]
        async fn sums<const N: usize>((first, _): (u64, u64), #[cfg(false)] no: u8) {
            #[runnable(yields = u64)]
            fn count<const N: usize>(first: u64) {
                for n in 0..N as u64 {
                    yield_!(first + n);
                }
            }
            yield_!(count::<N>(first).collect());
        }
    }

    #[test]
    fn methods_and_traits_have_them() {
        let mut model = Model { parts: vec![1, 2] };
        let call = timbal::call!("in", async {
            assert_eq!(model.items().collect::<Vec<_>>().await, [1, 2]);
            assert_eq!(pin!(model.all(2)).count().await, 2);
            assert_eq!(model.now().count(), 2);
            {
                let mut parts = pin!(model.parts());
                while let Some(part) = parts.next().await {
                    *part += 1;
                }
                assert_eq!(parts.returned().await, "all");
            }
            assert_eq!(model.clone().into(None::<u64>).returned(), [2, 3]);
            assert_eq!(pin!(Model::sums::<2>((5, 0))).next().await, Some(vec![5, 6]));
        });
        let (_, trace) = block_on(call.traced());
        expect![[r#"
            in -> null
              items {"self":{"parts":[1,2]}} -> [1,2]
              all {"times":2} -> 2
              parts {} -> "all"
              into {} -> [2,3]
              sums {"first":5} -- cancelled (dropped)
                count {"first":5} -> [5,6]"#]]
        .assert_eq(&trace.to_string());
    }
}
