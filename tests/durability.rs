//! `Durability::Committed`: the first call of a run completes when the run is in the store.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use expect_test::expect;
use futures::executor::block_on;
use futures::future::join_all;
use futures::{FutureExt, Stream, StreamExt, stream};
use timbal::{
    Batch, Builder, Durability, MemoryStore, RunId, Store, StoreError, Timbal, Trace, runnable,
    yield_,
};
use timbal_tests::Heard;

#[runnable]
async fn greet(name: &str) -> String {
    format!("Hello, {name}!")
}

#[runnable]
fn shout(name: &str) -> String {
    name.to_uppercase()
}

#[runnable]
fn words(text: &str) -> impl Stream<Item = &str> {
    stream::iter(text.split(' '))
}

#[runnable]
fn letters(text: &str) -> impl Iterator<Item = char> {
    text.chars()
}

#[runnable(yields = u32)]
async fn count() -> u64 {
    yield_!(1);
    7
}

#[runnable]
async fn fail() {
    panic!("no way");
}

#[runnable]
fn fail_now() {
    panic!("no way");
}

fn committed(within: Duration) -> Builder {
    Timbal::builder().durability(Durability::Committed { within })
}

/// So long that a test which waits for it never ends.
const LONG: Duration = Duration::MAX;
const SHORT: Duration = Duration::from_millis(5);

/// Keeps spans in memory, once it is let.
struct Gate {
    inner: MemoryStore,
    open: Mutex<mpsc::Receiver<()>>,
    puts: Arc<AtomicUsize>,
}

impl Store for Gate {
    fn put(&self, batch: &Batch) -> Result<(), StoreError> {
        self.puts.fetch_add(1, Ordering::Relaxed);
        let _open = self.open.lock().unwrap().recv();
        self.inner.put(batch)
    }

    fn trace(&self, run_id: RunId) -> Result<Option<Trace>, StoreError> {
        self.inner.trace(run_id)
    }
}

/// A store that keeps nothing before the sender is dropped; how much it keeps, how often it was asked.
fn gate() -> (mpsc::Sender<()>, Gate, MemoryStore, Arc<AtomicUsize>) {
    let ((go, open), inner, puts) = (mpsc::channel(), MemoryStore::new(), Arc::default());
    let gate = Gate { inner: inner.clone(), open: Mutex::new(open), puts: Arc::clone(&puts) };
    (go, gate, inner, puts)
}

/// A recorder that waits for such a store.
fn gated(within: Duration) -> (mpsc::Sender<()>, Timbal, MemoryStore) {
    let (go, gate, inner, _) = gate();
    (go, committed(within).store(gate).build(), inner)
}

/// Runs one after the other, and counts what is written after each: with no flush.
async fn run_all(timbal: &Timbal) -> Vec<u64> {
    let mut written = vec![];
    let mut note = || written.push(timbal.health().written);
    greet("Alice").recorded_by(timbal).await;
    note();
    greet("Alice").recorded_by(timbal).collect().await;
    note();
    words("one two").recorded_by(timbal).count().await;
    note();
    words("one two").recorded_by(timbal).events().collect().await;
    note();
    assert_eq!(letters("abc").recorded_by(timbal).count(), 3);
    note();
    assert_eq!(count().recorded_by(timbal).returned().await, 7);
    note();
    timbal::call!("nested", async { shout("Alice") }).recorded_by(timbal).await;
    note();
    assert!(AssertUnwindSafe(fail().recorded_by(timbal)).catch_unwind().await.is_err());
    note();
    written
}

const WRITTEN: [u64; 8] = [1, 2, 3, 4, 5, 6, 8, 9];

#[test]
fn every_shape_completes_when_it_is_written_without_any_executor() {
    let timbal = committed(LONG).build();
    assert_eq!(block_on(run_all(&timbal)), WRITTEN);
    assert_eq!(timbal.health().uncommitted, 0);
}

#[test]
fn every_shape_completes_when_it_is_written_on_a_current_thread_runtime() {
    let timbal = committed(LONG).build();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    assert_eq!(runtime.block_on(run_all(&timbal)), WRITTEN);
}

#[test]
fn every_shape_completes_when_it_is_written_on_many_threads() {
    let timbal = committed(LONG).build();
    let runtime = tokio::runtime::Builder::new_multi_thread().build().unwrap();
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let timbal = timbal.clone();
            runtime.spawn(async move { run_all(&timbal).await })
        })
        .collect();
    block_on(join_all(tasks)).into_iter().for_each(|done| assert_eq!(done.unwrap().len(), 8));
    let health = timbal.health();
    assert_eq!((health.written, health.queued, health.uncommitted), (72, 0, 0));
}

#[test]
fn a_stream_is_pending_at_its_end_until_it_is_written() {
    let (go, timbal, store) = gated(LONG);
    let mut stream = words("one two").recorded_by(&timbal);
    assert_eq!(block_on(stream.by_ref().take(2).collect::<Vec<_>>()), ["one", "two"]);
    assert_eq!(stream.next().now_or_never(), None);
    assert_eq!(stream.next().now_or_never(), None); // and is not polled again
    drop(go);
    assert_eq!(block_on(stream.next()), None);
    assert_eq!(store.len(), 1);
}

#[test]
fn the_output_is_told_when_the_call_ends_and_not_when_it_completes() {
    let heard = Heard::default();
    let (go, gate, store, _) = gate();
    let timbal = committed(LONG).store(gate).subscriber(heard.clone()).build();
    let mut done = Box::pin(greet("Alice").recorded_by(&timbal).collect());
    assert!(done.as_mut().now_or_never().is_none());
    let said = "START  greet\nOUTPUT greet {\"name\":\"Alice\"} -> \"Hello, Alice!\"\n";
    assert_eq!(heard.show(), said);
    drop(go);
    assert_eq!(block_on(done).output, "Hello, Alice!");
    assert_eq!((heard.show().as_str(), store.len()), (said, 1));
}

#[test]
fn a_call_that_is_dropped_while_it_waits_has_ended() {
    let heard = Heard::default();
    let (go, gate, store, _) = gate();
    let timbal = committed(LONG).store(gate).subscriber(heard.clone()).build();
    let mut events = greet("Alice").recorded_by(&timbal).events();
    while events.next().now_or_never().is_some() {}
    drop(events);
    expect![[r#"
        START  greet
        OUTPUT greet {"name":"Alice"} -> "Hello, Alice!"
    "#]]
    .assert_eq(&heard.show());
    drop(go);
    block_on(timbal.flush()).unwrap();
    assert_eq!((store.len(), timbal.health().uncommitted), (1, 0));
}

#[test]
fn a_call_that_is_cancelled_waits_for_nothing() {
    let (_go, timbal, _) = gated(LONG);
    let mut stream = words("one two").recorded_by(&timbal);
    assert_eq!(block_on(stream.next()), Some("one"));
    drop(stream);
    let mut letters = letters("abc").recorded_by(&timbal);
    assert_eq!(letters.next(), Some('a'));
    drop(letters);
    assert_eq!(timbal.health().uncommitted, 0);
}

#[test]
fn a_panic_goes_on_when_it_is_written() {
    let (go, timbal, store) = gated(LONG);
    let mut call = Box::pin(fail().recorded_by(&timbal));
    assert!(call.as_mut().now_or_never().is_none());
    assert!(call.as_mut().now_or_never().is_none());
    drop(go);
    let panic = catch_unwind(AssertUnwindSafe(|| block_on(call))).unwrap_err();
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"no way"));
    assert_eq!(store.len(), 1);
}

#[test]
fn a_call_that_takes_too_long_is_pending_until_it_is_written() {
    let (go, timbal, store) = gated(LONG);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let call = timbal::call!("slow", std::future::pending::<()>()).recorded_by(&timbal);
    let call = call.timeout(Duration::ZERO);
    runtime.block_on(async {
        let mut call = pin!(call);
        assert!(call.as_mut().now_or_never().is_none());
        assert!(call.as_mut().now_or_never().is_none());
        drop(go);
        assert!(call.await.is_err());
    });
    assert_eq!(store.len(), 1);
    assert_eq!(timbal.health().uncommitted, 0);
}

#[test]
fn calls_below_the_first_wait_for_nothing() {
    let (go, timbal, store) = gated(LONG);
    let (tell, told) = mpsc::channel();
    let root = timbal::call!("root", async {
        greet("Alice").await;
        shout("Alice");
        assert_eq!(words("one two").count().await, 2);
        assert!(catch_unwind(fail_now).is_err());
        tell.send(()).unwrap();
    });
    let mut done = Box::pin(root.recorded_by(&timbal).collect());
    assert!(done.as_mut().now_or_never().is_none());
    told.try_recv().unwrap();
    drop(go);
    block_on(done);
    assert_eq!(store.len(), 5);
}

#[test]
fn what_waits_at_the_same_time_is_put_at_once() {
    let (go, gate, store, puts) = gate();
    let timbal = committed(LONG).store(gate).build();
    let runs = (0..100).map(|_| greet("Alice").recorded_by(&timbal).collect());
    let mut all = Box::pin(join_all(runs));
    assert!(all.as_mut().now_or_never().is_none());
    drop(go);
    assert_eq!(block_on(all).len(), 100);
    assert_eq!(store.len(), 100);
    assert!(puts.load(Ordering::Relaxed) < 20, "{puts:?}");
}

#[test]
fn it_waits_for_every_store() {
    let (go, gate, store, _) = gate();
    let first = MemoryStore::new();
    let timbal = committed(LONG).store(first.clone()).store(gate).build();
    let mut done = Box::pin(greet("Alice").recorded_by(&timbal).collect());
    while first.is_empty() {
        assert!(done.as_mut().now_or_never().is_none());
    }
    assert!(done.as_mut().now_or_never().is_none());
    drop(go);
    block_on(done);
    assert_eq!((first.len(), store.len(), timbal.health().uncommitted), (1, 1, 0));
}

#[test]
fn what_is_not_written_in_time_completes_and_is_counted() {
    let (_go, timbal, store) = gated(SHORT);
    block_on(greet("Alice").recorded_by(&timbal));
    block_on(greet("Alice").recorded_by(&timbal).collect());
    assert_eq!(block_on(words("one two").recorded_by(&timbal).count()), 2);
    assert_eq!(letters("abc").recorded_by(&timbal).count(), 3);
    let panics = AssertUnwindSafe(fail().recorded_by(&timbal)).catch_unwind();
    assert!(block_on(panics).is_err());
    assert_eq!((timbal.health().uncommitted, store.len()), (5, 0));
}

#[test]
fn a_run_that_the_queue_had_no_place_for_is_counted_and_does_not_wait() {
    let (go, timbal, _) = gated(LONG);
    let root = timbal::call!("root", async {
        (0..100_000).for_each(|_| {
            shout("Alice");
        });
    });
    block_on(root.recorded_by(&timbal));
    let health = timbal.health();
    assert!(health.lost > 0, "{health:?}");
    assert_eq!((health.uncommitted, health.queued + health.lost), (1, 100_001));
    drop(go);
    block_on(timbal.flush()).unwrap();
    block_on(greet("Alice").recorded_by(&timbal)); // of the next run nothing is lost
    assert_eq!(timbal.health().uncommitted, 1);
}

#[test]
fn a_store_that_fails_is_waited_for() {
    struct Shaky(MemoryStore, AtomicUsize);
    impl Store for Shaky {
        fn put(&self, batch: &Batch) -> Result<(), StoreError> {
            match self.1.fetch_add(1, Ordering::Relaxed) % 2 {
                0 => Err(StoreError::failed("no space left on device")),
                _ => self.0.put(batch),
            }
        }
        fn trace(&self, run_id: RunId) -> Result<Option<Trace>, StoreError> {
            self.0.trace(run_id)
        }
    }
    let store = MemoryStore::new();
    let timbal = committed(LONG).store(Shaky(store.clone(), AtomicUsize::new(0))).build();
    for run in 1..=5 {
        block_on(greet("Alice").recorded_by(&timbal));
        assert_eq!(store.len(), run);
    }
    assert_eq!(timbal.health().uncommitted, 0);
}

#[test]
fn a_call_whose_recorder_goes_completes() {
    let (go, timbal, store) = gated(LONG);
    let waiting = greet("Alice").recorded_by(&timbal);
    let late = greet("Alice").recorded_by(&timbal);
    let mut waiting = pin!(waiting.collect());
    assert!(waiting.as_mut().now_or_never().is_none());
    drop(timbal);
    block_on(late); // there is nobody to wait for
    drop(go);
    block_on(waiting);
    assert_eq!(store.len(), 1);
}

#[test]
fn in_the_background_nothing_waits() {
    let (_go, gate, store, _) = gate();
    let timbal = Timbal::builder().durability(Durability::Background).store(gate).build();
    block_on(async { fail().recorded_by(&timbal).collect().await });
    block_on(greet("Alice").recorded_by(&timbal));
    assert_eq!((timbal.health().queued, timbal.health().uncommitted, store.len()), (2, 0, 0));
}
