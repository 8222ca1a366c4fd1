//! Functions that return futures, of a type that is hidden or named.

use std::future::ready;
use std::pin::Pin;

use expect_test::expect;
use futures::FutureExt;
use futures::executor::block_on;
use futures::future::{BoxFuture, LocalBoxFuture};
use timbal::{Timbal, runnable};
use timbal_tests::{Heard, check_inside, poll_and_drop, read_all, show};

#[runnable]
fn double(n: u64) -> impl Future<Output = u64> {
    ready(n * 2)
}

#[runnable]
fn checked(n: u64) -> impl Future<Output = Result<u64, String>> + Send {
    if n == 0 {
        return ready(Err("zero".to_owned()));
    }
    let half = n / 2;
    ready(Ok(half))
}

#[runnable]
fn joined<'a>(a: &'a str, b: &'a str) -> impl Future<Output = String> + use<'a> {
    let doubled = double(b.len() as u64);
    async move { format!("{a}{}", doubled.await) }
}

#[runnable]
fn boxed(n: u64) -> Pin<Box<dyn Future<Output = u64> + Send>> {
    Box::pin(async move { double(n).await })
}

#[runnable]
fn unpinned(n: u64) -> Box<dyn Future<Output = u64> + Unpin + Send> {
    Box::new(ready(n + 1))
}

#[runnable]
fn named<'a>(name: &str, (text, _): (&'a str, u8)) -> BoxFuture<'a, Result<usize, String>> {
    let name = name.to_owned();
    if text.is_empty() {
        return ready(Err(name)).boxed();
    }
    async move { Ok(double(text.len() as u64).await as usize + name.len()) }.boxed()
}

#[runnable(skip_input)]
fn local(n: std::rc::Rc<u64>) -> LocalBoxFuture<'static, u64> {
    async move { *n }.boxed_local()
}

#[runnable]
fn factorial(n: u64) -> BoxFuture<'static, u64> {
    Box::pin(async move { if n == 0 { 1 } else { n * factorial(n - 1).await } })
}

#[runnable]
fn panics(early: bool) -> BoxFuture<'static, u8> {
    assert!(!early, "before it was a call");
    Box::pin(async { panic!("inside") })
}

#[runnable(boxed)]
async fn fibonacci(n: u64) -> u64 {
    if n < 2 { n } else { fibonacci(n - 1).await + fibonacci(n - 2).await }
}

#[runnable(boxed)]
async fn longest<T: AsRef<str> + Sync>(
    #[skip] a: &T,
    (b, _): (&str, &u8),
    #[skip] and: impl Fn(&str) -> &str + Send + Sync,
) -> usize {
    ready(()).await;
    a.as_ref().len().max(and(b).len())
}

#[runnable(boxed(local))]
async fn tail(text: &str, #[skip] n: std::rc::Rc<usize>) -> Result<&str, String> {
    let tail = text.get(*n..).ok_or("too short".to_owned());
    ready(()).await;
    tail
}

#[test]
fn they_give_what_they_gave() {
    assert_eq!(block_on(double(2)), 4);
    assert_eq!(block_on(joined("a", &String::from("bc"))), "a4");
    assert_eq!(double(2).now_or_never(), Some(4));
    let futures: [BoxFuture<'_, u64>; 2] = [boxed(1), factorial(4)];
    assert_eq!(block_on(futures::future::join_all(futures)), [2, 24]);
    assert_eq!(block_on(local(1.into())), 1);
    let future = named(&String::from("name"), ("text", 0));
    assert_eq!(block_on(future), Ok(12));
}

#[test]
fn their_bodies_run_in_their_calls() {
    let call = joined("a", "bc");
    let events = show(&block_on(read_all(call.events())));
    expect![[r#"
        START  joined
        START  joined.double
        OUTPUT joined.double {"n":2} -> 4
        OUTPUT joined {"a":"a","b":"bc"} -> "a4"
    "#]]
    .assert_eq(&events);
}

#[test]
fn hidden_ones_are_calls() {
    let done = block_on(checked(0).collect());
    assert_eq!(done.error.unwrap().message(), "zero");
    let (half, trace) = block_on(checked(4).traced());
    assert_eq!((half, trace.to_string().as_str()), (Ok(2), r#"checked {"n":4} -> 2"#));
}

#[test]
fn boxed_ones_are_recorded_as_futures() {
    check_inside(
        async {
            let boxed = boxed(1);
            assert_eq!(timbal::current().unwrap().path(), "in");
            boxed.await
        },
        expect![[r#"
            START  in
            START  in.boxed
            START  in.boxed.double
            OUTPUT in.boxed.double {"n":1} -> 2
            OUTPUT in.boxed {"n":1} -> 2
            OUTPUT in null -> null
        "#]],
    );
}

#[test]
fn boxed_ones_need_no_pin_where_their_bodies_need_none() {
    check_inside(
        async {
            let mut call: Box<dyn Future<Output = u64> + Unpin + Send> = unpinned(1);
            assert_eq!((&mut call).await, 2);
            drop(unpinned(2));
        },
        expect![[r#"
            START  in
            START  in.unpinned
            OUTPUT in.unpinned {"n":1} -> 2
            OUTPUT in null -> null
        "#]],
    );
}

#[test]
fn boxed_ones_say_their_inputs_and_errors() {
    check_inside(
        named("name", ("", 0)),
        expect![[r#"
        START  in
        OUTPUT in null -> null
    "#]],
    );
    check_inside(
        async { named("name", ("text", 0)).await },
        expect![[r#"
        START  in
        START  in.named
        START  in.named.double
        OUTPUT in.named.double {"n":4} -> 8
        OUTPUT in.named {"name":"name","text":"text"} -> 12
        OUTPUT in null -> null
    "#]],
    );
}

#[test]
fn boxed_ones_can_keep_their_inputs() {
    check_inside(
        async { local(1.into()).await },
        expect![[r#"
        START  in
        START  in.local
        OUTPUT in.local null -> 1
        OUTPUT in null -> null
    "#]],
    );
}

#[test]
fn boxed_ones_can_call_themselves() {
    check_inside(
        async { factorial(1).await },
        expect![[r#"
        START  in
        START  in.factorial
        START  in.factorial.factorial
        OUTPUT in.factorial.factorial {"n":0} -> 1
        OUTPUT in.factorial {"n":1} -> 1
        OUTPUT in null -> null
    "#]],
    );
}

#[test]
fn boxed_ones_that_were_never_polled_say_nothing() {
    check_inside(
        async { drop(boxed(1)) },
        expect![[r#"
        START  in
        OUTPUT in null -> null
    "#]],
    );
}

#[test]
fn boxed_ones_are_cancelled_as_others_are() {
    #[runnable]
    fn endless() -> BoxFuture<'static, ()> {
        std::future::pending().boxed()
    }
    let heard = Heard::default();
    let timbal = Timbal::builder().subscriber(heard.clone()).build();
    let call = timbal::call!("in", async { endless().await });
    poll_and_drop(1, call.recorded_by(&timbal));
    expect![[r#"
        START  in
        START  in.endless
        OUTPUT in.endless {} -- cancelled (dropped)
        OUTPUT in null -- cancelled (dropped)
    "#]]
    .assert_eq(&heard.show());
}

#[test]
fn a_boxed_one_begins_when_it_is_polled() {
    let caught = std::panic::AssertUnwindSafe(async { panics(false).await }).catch_unwind();
    check_inside(
        caught,
        expect![[r#"
        START  in
        START  in.panics
        OUTPUT in.panics {"early":false} !! panic: inside
        OUTPUT in null -> null
    "#]],
    );
    let caught = std::panic::AssertUnwindSafe(async { panics(true).await }).catch_unwind();
    check_inside(
        caught,
        expect![[r#"
        START  in
        OUTPUT in null -> null
    "#]],
    );
}

#[test]
fn an_async_fn_can_be_boxed() {
    struct Waiting<'a> {
        calls: Vec<timbal::Call<BoxFuture<'a, u64>>>,
    }
    let waiting = Waiting { calls: vec![fibonacci(1), fibonacci(7)] };
    assert_eq!(block_on(futures::future::join_all(waiting.calls)), [1, 13]);
    assert_eq!(block_on(longest(&String::from("abc"), ("d", &1), |text| text)), 3);
    assert_eq!(block_on(tail(&String::from("abc"), 1.into())), Ok("bc"));
    check_inside(
        async { fibonacci(2).await },
        expect![[r#"
        START  in
        START  in.fibonacci
        START  in.fibonacci.fibonacci
        OUTPUT in.fibonacci.fibonacci {"n":1} -> 1
        START  in.fibonacci.fibonacci
        OUTPUT in.fibonacci.fibonacci {"n":0} -> 0
        OUTPUT in.fibonacci {"n":2} -> 1
        OUTPUT in null -> null
    "#]],
    );
    let done = block_on(tail("abc", 4.into()).collect());
    assert_eq!(done.error.unwrap().message(), "too short");
}

#[test]
fn they_are_send_and_unpin_when_their_futures_are() {
    fn is_send_and_unpin(_: impl Send + Unpin) {}
    is_send_and_unpin(double(1));
    is_send_and_unpin(checked(1));
}

#[test]
fn what_panics_can_be_caught_as_before() {
    let caught = block_on(double_or_panic(0).catch_unwind());
    assert!(caught.is_err());
    assert_eq!(std::panic::catch_unwind(|| block_on(double_or_panic(1))).unwrap(), 2);
}

#[runnable]
async fn double_or_panic(n: u64) -> u64 {
    if n == 0 { std::panic::panic_any(n) } else { n * 2 }
}
