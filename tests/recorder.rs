//! Recorders: what they keep, for how long, and how they bear what fails.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use expect_test::expect;
use futures::FutureExt;
use futures::executor::block_on;
use timbal::{
    Batch, Event, MemoryStore, RunId, Store, StoreError, Timbal, Trace, current, runnable,
};
use timbal_tests::{Heard, poll_and_drop};

#[runnable]
async fn echo(text: String) -> String {
    text
}

/// Runs a call that makes so many calls, and gives its run.
fn run(timbal: &Timbal, calls: usize) -> RunId {
    let root = timbal::call!("root", async {
        for _ in 0..calls {
            echo("a text that is too long to stand in the record itself".into()).await;
        }
        current().unwrap().run_id()
    });
    block_on(root.recorded_by(timbal))
}

#[test]
fn a_trace_is_there_when_its_calls_have_ended() {
    let timbal = Timbal::builder().build();
    let run = run(&timbal, 2);
    let trace = block_on(timbal.trace(run)).unwrap().unwrap();
    assert_eq!((trace.run_id, trace.spans.len()), (run, 3));
    assert_eq!(trace.root().unwrap().path, "root");
    assert_eq!(timbal.health().written, 3);
}

#[test]
fn an_unknown_run_has_no_trace() {
    let timbal = Timbal::builder().build();
    assert_eq!(block_on(timbal.trace(RunId::from_u128(7).unwrap())).unwrap(), None);
}

#[test]
fn spans_keep_the_order_of_their_starts() {
    let timbal = Timbal::builder().build();
    let trace = block_on(timbal.trace(run(&timbal, 20))).unwrap().unwrap();
    assert!(trace.spans.iter().enumerate().all(|(n, span)| span.seq == n as u64));
}

#[test]
fn the_memory_store_is_bounded_by_count() {
    let store = MemoryStore::new().with_max_spans(10);
    let timbal = Timbal::builder().store(store.clone()).build();
    let runs: Vec<_> = (0..5).map(|_| run(&timbal, 3)).collect();
    block_on(timbal.flush()).unwrap();
    assert_eq!((store.len(), store.evicted()), (8, 12));
    assert_eq!(block_on(timbal.trace(runs[2])).unwrap(), None);
    assert_eq!(block_on(timbal.trace(runs[3])).unwrap().unwrap().spans.len(), 4);
}

#[test]
fn the_memory_store_is_bounded_by_bytes() {
    let store = MemoryStore::new().with_max_bytes(20_000);
    let timbal = Timbal::builder().store(store.clone()).build();
    for _ in 0..200 {
        run(&timbal, 3);
    }
    block_on(timbal.flush()).unwrap();
    assert!(store.bytes() <= 20_000 && store.bytes() > 15_000, "{}", store.bytes());
    assert_eq!(store.len() as u64 + store.evicted(), 800);
}

#[test]
fn a_run_that_is_too_large_keeps_its_end() {
    let store = MemoryStore::new().with_max_spans(10);
    let timbal = Timbal::builder().store(store.clone()).build();
    let trace = block_on(timbal.trace(run(&timbal, 50))).unwrap().unwrap();
    assert_eq!((trace.spans.len(), store.evicted()), (10, 41));
    assert_eq!(trace.root().unwrap().path, "root");
}

#[test]
fn every_store_gets_every_span() {
    let (first, second) = (MemoryStore::new(), MemoryStore::new());
    let timbal = Timbal::builder().store(first.clone()).store(second.clone()).build();
    run(&timbal, 2);
    block_on(timbal.flush()).unwrap();
    assert_eq!((first.len(), second.len()), (3, 3));
}

/// Fails in its own way for the first times.
struct Shaky {
    inner: MemoryStore,
    failures: AtomicU32,
    fail: fn() -> Result<(), StoreError>,
}

impl Store for Shaky {
    fn put(&self, batch: &Batch) -> Result<(), StoreError> {
        let left = |failures: u32| failures.checked_sub(1);
        if self.failures.fetch_update(Ordering::Relaxed, Ordering::Relaxed, left).is_ok() {
            (self.fail)()?;
        }
        self.inner.put(batch)
    }

    fn trace(&self, run_id: RunId) -> Result<Option<Trace>, StoreError> {
        self.inner.trace(run_id)
    }
}

fn shaky(fail: fn() -> Result<(), StoreError>) -> Timbal {
    let (inner, failures) = (MemoryStore::new(), AtomicU32::new(2));
    Timbal::builder().store(Shaky { inner, failures, fail }).build()
}

#[test]
fn a_store_that_fails_is_tried_again() {
    let timbal = shaky(|| Err(StoreError::failed("no space left on device")));
    let trace = block_on(timbal.trace(run(&timbal, 1))).unwrap().unwrap();
    assert_eq!(trace.spans.len(), 2);
    let health = timbal.health();
    assert_eq!((health.lost, health.queued), (0, 0));
    assert_eq!(health.last_error.unwrap(), "the store failed: no space left on device");
}

#[test]
fn a_store_that_panics_has_failed() {
    let timbal = shaky(|| panic!("a bug in the store"));
    let trace = block_on(timbal.trace(run(&timbal, 1))).unwrap().unwrap();
    assert_eq!(trace.spans.len(), 2);
    assert_eq!(timbal.health().last_error.unwrap(), "the store panicked: a bug in the store");
}

/// Answers when its channel is closed.
struct Blocked(Mutex<mpsc::Receiver<()>>);

impl Store for Blocked {
    fn put(&self, _: &Batch) -> Result<(), StoreError> {
        let _closed = self.0.lock().unwrap().recv();
        Ok(())
    }

    fn trace(&self, _: RunId) -> Result<Option<Trace>, StoreError> {
        Ok(None)
    }
}

fn blocked() -> (mpsc::Sender<()>, Timbal) {
    let (go, wait) = mpsc::channel();
    (go, Timbal::builder().store(Blocked(Mutex::new(wait))).build())
}

#[test]
fn a_store_that_is_slow_does_not_hold_up_the_calls() {
    let (go, timbal) = blocked();
    run(&timbal, 100);
    assert_eq!((timbal.health().queued, timbal.health().written), (101, 0));
    drop(go);
    block_on(timbal.flush()).unwrap();
    assert_eq!(timbal.health().written, 101);
}

#[test]
fn what_a_store_that_does_not_answer_has_no_place_for_is_counted() {
    let (go, timbal) = blocked();
    let calls = 50_000;
    run(&timbal, calls);
    let health = timbal.health();
    assert_eq!(health.queued + health.lost, calls as u64 + 1);
    assert!(health.lost > 0 && health.queued > 10_000, "{health:?}");
    drop(go);
    block_on(timbal.flush()).unwrap();
    assert_eq!(timbal.health().written, health.queued);
}

/// Takes what it is given, and answers when its channel is closed.
struct Silent(Mutex<mpsc::Receiver<()>>);

impl Store for Silent {
    fn put(&self, _: &Batch) -> Result<(), StoreError> {
        Ok(())
    }

    fn trace(&self, _: RunId) -> Result<Option<Trace>, StoreError> {
        let _closed = self.0.lock().unwrap().recv();
        Ok(None)
    }
}

#[test]
fn a_store_that_is_slow_to_read_does_not_hold_up_a_flush() {
    let (go, wait) = mpsc::channel();
    let timbal = Timbal::builder().store(Silent(Mutex::new(wait))).build();
    let run_id = run(&timbal, 9);
    let mut trace = timbal.trace(run_id);
    block_on(timbal.flush()).unwrap();
    assert_eq!((&mut trace).now_or_never().map(Result::unwrap), None);
    drop(go);
    assert_eq!(block_on(trace).unwrap(), None);
}

#[test]
fn what_there_is_is_written_when_the_recorder_goes() {
    let store = MemoryStore::new();
    let timbal = Timbal::builder().store(store.clone()).build();
    let answer = {
        run(&timbal, 9);
        timbal.flush()
    };
    drop(timbal);
    block_on(answer).unwrap();
    assert_eq!(store.len(), 10);
}

#[test]
fn a_recorder_is_freed_with_what_it_keeps() {
    struct Freed(MemoryStore, #[expect(dead_code)] Arc<()>);
    impl Store for Freed {
        fn put(&self, batch: &Batch) -> Result<(), StoreError> {
            self.0.put(batch)
        }
        fn trace(&self, run_id: RunId) -> Result<Option<Trace>, StoreError> {
            self.0.trace(run_id)
        }
    }
    let alive = Arc::new(());
    let timbal = Timbal::builder().store(Freed(MemoryStore::new(), Arc::clone(&alive))).build();
    run(&timbal, 3);
    block_on(timbal.flush()).unwrap();
    drop(timbal);
    while Arc::strong_count(&alive) > 1 {
        std::thread::yield_now(); // its threads end in their own time
    }
}

#[test]
fn a_recorder_whose_store_fails_to_the_end_is_freed() {
    struct Broken(#[expect(dead_code)] Arc<()>);
    impl Store for Broken {
        fn put(&self, _: &Batch) -> Result<(), StoreError> {
            Err(StoreError::failed("it is gone"))
        }
        fn trace(&self, _: RunId) -> Result<Option<Trace>, StoreError> {
            Ok(None)
        }
    }
    let alive = Arc::new(());
    let timbal = Timbal::builder()
        .store(Broken(Arc::clone(&alive)))
        .store(Broken(Arc::clone(&alive)))
        .flush_within(std::time::Duration::from_millis(1))
        .build();
    run(&timbal, 5_000);
    assert!(matches!(block_on(timbal.flush()), Err(StoreError::TimedOut)));
    assert_eq!((timbal.health().queued, timbal.health().written), (5_001, 0));
    drop(timbal);
    while Arc::strong_count(&alive) > 1 {
        std::thread::yield_now(); // what fails is tried for two seconds more, all together
    }
}

#[test]
fn a_subscriber_that_panics_is_cut_off() {
    let heard = Heard::default();
    let timbal = Timbal::builder()
        .subscriber(|event: &Event| assert!(!matches!(event, Event::Output(_)), "I do not like it"))
        .subscriber(heard.clone())
        .build();
    let text = block_on(echo("still here".into()).recorded_by(&timbal));
    assert_eq!((text.as_str(), timbal.health().subscribers_cut_off), ("still here", 1));
    expect![[r#"
        START  echo
        OUTPUT echo {"text":"still here"} -> "still here"
    "#]]
    .assert_eq(&heard.show());
}

#[test]
fn what_a_subscriber_calls_is_recorded_and_not_told() {
    let heard = Heard::default();
    let inner = Timbal::builder().subscriber(heard.clone()).build();
    let own = inner.clone();
    let calls = move |_: &Event| {
        poll_and_drop(1, echo("from inside".into()).recorded_by(&own));
    };
    let timbal = Timbal::builder().subscriber(calls).subscriber(heard.clone()).build();
    block_on(echo("outside".into()).recorded_by(&timbal));
    block_on(inner.flush()).unwrap();
    assert_eq!(inner.health().written, 2);
    assert_eq!(heard.show(), "START  echo\nOUTPUT echo {\"text\":\"outside\"} -> \"outside\"\n");
}

#[test]
fn a_span_that_is_put_again_replaces_the_first() {
    let store = MemoryStore::new();
    let (_, trace) = block_on(echo("once".into()).traced());
    let mut again = trace.spans[0].clone();
    again.path = "again".into();
    store.put(&trace.spans.into_iter().chain([again]).collect()).unwrap();
    let kept = store.trace(trace.run_id).unwrap().unwrap();
    assert_eq!((kept.spans.len(), kept.spans[0].path.as_str()), (1, "again"));
}

#[test]
fn nested_calls_are_recorded_by_the_recorder_of_their_run() {
    let (timbal, other) = (Timbal::builder().build(), Timbal::builder().build());
    let call = timbal::call!("root", async {
        echo("here".into()).await;
        echo("there".into()).recorded_by(&other).await
    });
    block_on(call.recorded_by(&timbal));
    block_on(timbal.flush()).unwrap();
    block_on(other.flush()).unwrap();
    assert_eq!((timbal.health().written, other.health().written), (2, 1));
}
