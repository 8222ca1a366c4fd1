//! Calls that are dropped, and what is dropped with them.

use std::cell::RefCell;
use std::future::{pending, poll_fn};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use expect_test::expect;
use timbal::{Clock, Timbal, Timestamp, runnable};
use timbal_tests::{Heard, poll_and_drop};

#[runnable]
async fn sleeper(n: u64) {
    let _ = n;
    pending::<()>().await;
}

#[runnable]
async fn parent_of_two() {
    futures::join!(sleeper(1), sleeper(2));
}

#[runnable]
async fn grandparent() {
    timbal::usage("tokens", 5);
    parent_of_two().await;
}

fn hearing() -> (Timbal, Heard) {
    let heard = Heard::default();
    (Timbal::builder().subscriber(heard.clone()).build(), heard)
}

#[test]
fn a_call_that_was_never_polled_says_nothing() {
    let (timbal, heard) = hearing();
    drop(grandparent().recorded_by(&timbal));
    assert_eq!(heard.show(), "");
}

#[test]
fn a_dropped_call_is_cancelled() {
    let (timbal, heard) = hearing();
    poll_and_drop(1, sleeper(1).recorded_by(&timbal));
    expect![[r#"
        START  sleeper
        OUTPUT sleeper {"n":1} -- cancelled (dropped)
    "#]]
    .assert_eq(&heard.show());
}

#[test]
fn unfinished_children_end_before_their_parents() {
    let (timbal, heard) = hearing();
    poll_and_drop(3, grandparent().recorded_by(&timbal));
    expect![[r#"
        START  grandparent
        START  grandparent.parent_of_two
        START  grandparent.parent_of_two.sleeper
        START  grandparent.parent_of_two.sleeper
        OUTPUT grandparent.parent_of_two.sleeper {"n":2} -- cancelled (dropped)
        OUTPUT grandparent.parent_of_two.sleeper {"n":1} -- cancelled (dropped)
        OUTPUT grandparent.parent_of_two {} -- cancelled (dropped)
        OUTPUT grandparent {} -- cancelled (dropped)
    "#]]
    .assert_eq(&heard.show());
}

#[test]
fn a_call_that_ended_is_not_cancelled_when_its_handle_goes() {
    let (timbal, heard) = hearing();
    let call = timbal::call!("ready", async { 1 }).recorded_by(&timbal);
    assert_eq!(poll_and_drop(1, call), Some(1));
    assert_eq!(heard.show(), "START  ready\nOUTPUT ready null -> 1\n");
}

#[test]
fn dropping_the_events_drops_the_call() {
    let (timbal, heard) = hearing();
    let mut events = sleeper(1).recorded_by(&timbal).events();
    poll_and_drop(2, events.next());
    poll_and_drop(2, events.next());
    drop(events);
    assert!(heard.show().ends_with("cancelled (dropped)\n"), "{}", heard.show());
}

#[test]
fn a_body_is_dropped_as_the_current_call() {
    struct SaysUsage;
    impl Drop for SaysUsage {
        fn drop(&mut self) {
            timbal::usage("dropped", 1);
        }
    }
    let timbal = timbal_tests::steady().build();
    let mut run = None;
    let call = timbal::call!("root", async {
        run = timbal::current().map(|current| current.run_id());
        let holder = timbal::call!("holder", async {
            let _says_usage = SaysUsage;
            pending::<()>().await;
        });
        holder.await;
    });
    poll_and_drop(1, call.recorded_by(&timbal));
    let trace = futures::executor::block_on(timbal.trace(run.unwrap())).unwrap().unwrap();
    assert_eq!(trace.find("root.holder").unwrap().usage["dropped"], 1);
}

#[test]
fn the_time_until_it_is_dropped_is_not_busy() {
    let now = Arc::new(AtomicU64::new(0));
    struct Hours(Arc<AtomicU64>);
    impl Clock for Hours {
        fn wall(&self) -> Timestamp {
            Timestamp::from_millis(0)
        }
        fn monotonic(&self) -> Duration {
            Duration::from_secs(3_600 * self.0.load(Ordering::Relaxed))
        }
    }
    let timbal = Timbal::builder().clock(Hours(Arc::clone(&now))).build();
    let mut run = None;
    let call = timbal::call!("root", async {
        let sleeper = poll_fn(|cx| {
            run = timbal::current().map(|current| current.run_id());
            now.store(1, Ordering::Relaxed);
            cx.waker().wake_by_ref();
            std::task::Poll::<()>::Pending
        });
        sleeper.await;
    });
    let mut call = Box::pin(call.recorded_by(&timbal));
    poll_and_drop(1, call.as_mut());
    now.store(7, Ordering::Relaxed);
    drop(call);
    let trace = futures::executor::block_on(timbal.trace(run.unwrap())).unwrap().unwrap();
    let hour = 3_600_000_000_000;
    let root = trace.root().unwrap();
    assert_eq!((root.elapsed_ns / hour, root.busy_ns / hour, root.polls), (7, 1, 1));
}

#[test]
fn a_panic_goes_on_after_it_was_recorded() {
    let (timbal, heard) = hearing();
    let call = timbal::call!("bad", panics("as it was")).recorded_by(&timbal);
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| poll_and_drop(1, call)));
    assert_eq!(*panic.unwrap_err().downcast::<&str>().unwrap(), "as it was");
    assert_eq!(heard.show(), "START  bad\nOUTPUT bad null !! panic: as it was\n");
}

#[test]
fn a_panic_cancels_the_calls_beside_it() {
    let (timbal, heard) = hearing();
    let call = timbal::call!("root", async {
        futures::join!(sleeper(1), timbal::call!("bad", panics("oh")));
    });
    let call = call.recorded_by(&timbal);
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| poll_and_drop(1, call)));
    assert!(panic.is_err());
    expect![[r#"
        START  root
        START  root.sleeper
        START  root.bad
        OUTPUT root.bad null !! panic: oh
        OUTPUT root.sleeper {"n":1} -- cancelled (dropped)
        OUTPUT root null !! panic: oh
    "#]]
    .assert_eq(&heard.show());
}

async fn panics(message: &'static str) {
    std::panic::panic_any(message)
}

thread_local! {
    static DROPPED: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) };
}

/// Says when it is dropped.
#[derive(serde::Serialize)]
struct Says(&'static str);

impl Drop for Says {
    fn drop(&mut self) {
        DROPPED.with_borrow_mut(|dropped| dropped.push(self.0));
    }
}

/// The same function twice: plain, and with the attribute.
macro_rules! twice {
    ($(async fn $name:ident($($parameters:tt)*) $body:block)*) => {
        #[expect(unused_variables, reason = "these are dropped too")]
        mod plain {
            use super::*;
            $(pub(super) async fn $name($($parameters)*) $body)*
        }
        #[expect(unused_variables, reason = "these are dropped too")]
        mod recorded {
            use super::*;
            $(#[runnable] pub(super) async fn $name($($parameters)*) $body)*
        }
    };
}

twice! {
    async fn unused(a: Says, b: Says) {
        DROPPED.with_borrow_mut(|dropped| dropped.push("body"));
    }
    async fn ignored(_: Says, _guard: Says, c: Says) {
        DROPPED.with_borrow_mut(|dropped| dropped.push("body"));
        drop(c);
    }
    async fn pattern((a, _): (Says, Says), b: Says) {
        drop(a);
        pending_if(false).await;
        let _local = Says("local");
    }
    async fn unfinished(a: Says, _: Says, (b, _): (Says, Says)) {
        let _local = Says("local");
        pending_if(true).await;
    }
}

async fn pending_if(pending: bool) {
    if pending {
        std::future::pending::<()>().await;
    }
}

fn order<F: Future>(call: F) -> Vec<&'static str> {
    poll_and_drop(2, call);
    DROPPED.take()
}

#[test]
fn parameters_are_dropped_as_without_the_attribute() {
    let timbal = Timbal::builder().build();
    let [a, b, c, d] = ["a", "b", "c", "d"].map(|name| move || Says(name));
    for record in [false, true] {
        macro_rules! compare {
            ($name:ident, $($arguments:expr),*) => {
                let plain = order(plain::$name($($arguments),*));
                let call = recorded::$name($($arguments),*);
                let call = if record { call.recorded_by(&timbal) } else { call };
                assert_eq!(order(call), plain, stringify!($name));
                let never = order(async { drop(recorded::$name($($arguments),*)) });
                let plain_never = order(async { drop(plain::$name($($arguments),*)) });
                assert_eq!(never, plain_never, "{} never polled", stringify!($name));
            };
        }
        compare!(unused, a(), b());
        compare!(ignored, a(), b(), c());
        compare!(pattern, (a(), b()), c());
        compare!(unfinished, a(), b(), (c(), d()));
    }
}
