//! `yield_!`: where it stands in a body, and where nobody can receive what it yields.

use std::cell::{Cell, RefCell};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use expect_test::expect;
use futures::executor::block_on;
use futures::future::LocalBoxFuture;
use futures::stream::{self, FuturesUnordered};
use futures::{FutureExt, Stream, StreamExt};
use serde::{Serialize, Serializer};
use timbal::{runnable, yield_};
use timbal_tests::{check, poll_and_drop};

#[runnable(yields = u64)]
async fn in_branches(turns: u64) {
    let branch = |first: u64| async move {
        for turn in 0..turns {
            yield_!(first + turn);
        }
    };
    futures::join!(branch(0), branch(10), async {
        yield_!(20);
    });
    let many: FuturesUnordered<_> = (100..103).map(branch).collect();
    many.collect::<()>().await;
}

#[test]
fn branches_yield_in_turn() {
    let items: Vec<_> = block_on(in_branches(2).collect());
    assert_eq!(items, [0, 10, 20, 1, 11, 100, 101, 102, 101, 102, 103]);
}

#[runnable(yields = u64)]
async fn in_select(to: u64) -> u64 {
    let (mut sum, mut numbers) = (0, stream::iter(0..to));
    loop {
        tokio::select! {
            biased;
            () = async { yield_!(100 + sum) } => unreachable!("the next branch is ready first"),
            number = numbers.next() => match number {
                Some(number) => yield_!(number),
                None => return sum,
            },
        }
        sum += 1;
        let mut tick = futures::future::ready(()).fuse();
        futures::select_biased! {
            () = tick => yield_!(200 + sum),
            () = pin!(async { yield_!(300) }.fuse()) => unreachable!("the other one was ready first"),
        }
    }
}

#[test]
fn a_yield_that_is_dropped_before_it_was_taken_has_yielded_nothing() {
    check(
        in_select(2).events(),
        expect![[r#"
        START  in_select
        CHUNK  in_select 0
        CHUNK  in_select 201
        CHUNK  in_select 1
        CHUNK  in_select 202
        OUTPUT in_select {"to":2} -> 2
    "#]],
    );
}

#[runnable(yields = &'a mut Vec<u8>)]
async fn across_borrows<'a>(all: &'a mut [Vec<u8>], skipped: usize) -> Named {
    let mut seen = 0;
    let count = &mut seen;
    for (at, part) in all.iter_mut().enumerate() {
        if at == skipped {
            continue;
        }
        *count += 1;
        yield_!(part);
        *count += 1;
    }
    if *count > 2 {
        return Ok("many");
    }
    Ok("few")
}

type Named = std::result::Result<&'static str, std::fmt::Error>;

#[test]
fn borrows_live_across_yields() {
    let mut all = vec![vec![], vec![], vec![]];
    let returned = block_on(async {
        let mut parts = pin!(across_borrows(&mut all, 1));
        while let Some(part) = parts.next().await {
            part.push(1);
        }
        parts.returned().await
    });
    assert_eq!((all, returned), (vec![vec![1], vec![], vec![1]], Ok("many")));
}

#[runnable(yields = u8)]
async fn to_a_task() {
    yield_!(1);
    let lost = tokio::spawn(async move { yield_!(2) }).await;
    let panic = lost.unwrap_err().into_panic();
    let message = panic.downcast_ref::<&str>().copied().unwrap_or_default();
    timbal::metadata("panic", message);
    yield_!(3);
}

#[runnable(yields = u8)]
async fn to_a_thread() {
    let lost = std::thread::spawn(move || block_on(async move { yield_!(2) })).join();
    assert!(lost.is_err());
    let lost = tokio::task::spawn_blocking(move || {
        let later = async move { yield_!(3) };
        block_on(later);
    });
    assert!(lost.await.is_err());
    let again = move || async move { yield_!(4) };
    again().await;
    again().await;
    yield_!(5);
}

#[tokio::test]
async fn what_a_thread_yields_is_a_panic_and_no_wait() {
    assert_eq!(to_a_thread().collect::<Vec<_>>().await, [4, 4, 5]);
}

#[tokio::test]
async fn what_a_task_yields_is_a_panic_and_no_wait() {
    let done = to_a_task().events().collect().await;
    assert_eq!(done.output, serde_json::json!([1, 3]));
    expect!["nobody can receive what this `yield_!` yields: its generator has ended, or runs elsewhere; of what other tasks find, yield in the generator what they send to it"].assert_eq(done.metadata["panic"].as_str().unwrap());
}

#[runnable(yields = u8)]
async fn leaks(#[skip] later: &Cell<Option<LocalBoxFuture<'static, ()>>>) {
    later.set(Some(Box::pin(async move { yield_!(2) })));
    yield_!(1);
}

#[test]
#[should_panic(expected = "nobody can receive what this `yield_!` yields: its generator has ended")]
fn what_is_yielded_after_the_end_is_a_panic() {
    let later = Cell::new(None);
    assert_eq!(block_on(leaks(&later).collect::<Vec<_>>()), [1]);
    block_on(later.take().unwrap());
}

#[runnable(yields = u8)]
fn blocks() {
    yield_!(1);
    block_on(async { yield_!(2) });
}

#[test]
#[should_panic(expected = "a `fn` that blocks on it never asks for the next item")]
fn a_sync_one_does_not_wait_for_itself() {
    let _ = blocks().count();
}

#[runnable(yields = u8)]
fn waits() {
    yield_!(1);
    futures::join!(futures::future::pending::<()>());
}

#[test]
#[should_panic(expected = "waits for something that is no reader of its items")]
fn a_sync_one_does_not_wait_for_others() {
    let _ = waits().count();
}

#[runnable(yields = usize)]
async fn in_what_it_calls(parts: Vec<String>) {
    let yield_all = async |texts: &[String]| {
        for text in texts {
            yield_!(text.len());
        }
    };
    yield_all(&parts).await;
    stream::iter(&parts).for_each(|part| async move { yield_!(part.len() * 10) }).await;
    stream::iter(0..2).for_each_concurrent(None, move |n| async move { yield_!(n) }).await;
    stream::iter(2..3).then(move |n| async move { yield_!(n) }).collect::<()>().await;
    macro_rules! twice {
        ($value:expr) => {
            yield_!($value);
            timbal::yield_!($value)
        };
    }
    twice!(7);
}

#[test]
fn closures_and_macros_of_the_body_yield() {
    let items = block_on(in_what_it_calls(vec!["a".into(), "bc".into()]).collect::<Vec<_>>());
    assert_eq!(items, [1, 2, 10, 20, 0, 1, 2, 7, 7]);
}

#[runnable(yields = String)]
async fn of_temporaries(#[skip] names: &RefCell<Vec<&'static str>>) {
    yield_!(names.borrow()[0].to_owned());
    yield_!(names.borrow_mut().pop().unwrap().to_owned());
}

#[test]
fn what_it_borrowed_to_yield_is_given_back_before_it_waits() {
    let names = RefCell::new(vec!["a"]);
    let mut items = pin!(of_temporaries(&names));
    block_on(async {
        while let Some(name) = items.next().await {
            assert_eq!((name.as_str(), names.try_borrow_mut().is_ok()), ("a", true));
        }
    });
    assert!(names.borrow().is_empty());
}

#[runnable(yields = Box<dyn Shape>)]
async fn coerced() -> Option<u8> {
    yield_!(Box::new(1));
    if std::future::ready(true).await {
        return None;
    }
    yield_!(Box::new("never"));
    Some(1)
}

trait Shape: Send {}

impl<T: Send> Shape for T {}

impl Serialize for dyn Shape {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str("shape")
    }
}

#[test]
fn values_are_coerced_to_what_is_yielded() {
    check(
        coerced().events(),
        expect![[r#"
        START  coerced
        CHUNK  coerced "shape"
        OUTPUT coerced {} -> null
    "#]],
    );
}

#[runnable(yields = u8)]
async fn waits_in_two_places() {
    futures::join!(async { yield_!(1) }, async {
        futures::future::pending::<()>().await;
        yield_!(2);
    });
}

#[test]
fn a_generator_that_waits_is_pending() {
    assert_eq!(poll_and_drop(3, pin!(waits_in_two_places()).skip(1).next()), None);
}

#[runnable(yields = usize)]
async fn in_a_row(is_apart: bool) {
    let branch = async {
        for n in 0..3 {
            yield_!(n);
        }
    };
    match is_apart {
        true => FuturesUnordered::from_iter([branch]).collect().await,
        false => branch.await,
    }
}

/// Counts how often it is asked to wake.
#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn its_reader_is_not_woken_for_what_it_asks_for() {
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(Arc::clone(&woken));
    let mut cx = Context::from_waker(&waker);
    for is_apart in [false, true] {
        let mut items = pin!(in_a_row(is_apart));
        for n in 0..3 {
            assert_eq!(items.as_mut().poll_next(&mut cx), Poll::Ready(Some(n)));
        }
        assert_eq!(items.as_mut().poll_next(&mut cx), Poll::Ready(None));
        // What polls its parts by their own wakers is woken, or it would not go on.
        assert_eq!(woken.0.load(Ordering::Relaxed) > 0, is_apart);
    }
}
