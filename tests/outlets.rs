//! Several stores and exporters: each on its own, none in the way of the calls or of another.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use futures::executor::block_on;
use timbal::{
    Batch, ExportError, Exporter, MemoryStore, RunId, Store, StoreError, Timbal, Trace, runnable,
};

#[runnable]
fn echo(text: String) -> String {
    text
}

/// Runs a call that makes so many calls.
fn run(timbal: &Timbal, calls: usize) {
    let root = timbal::call!("root", async {
        (0..calls).for_each(|_| {
            echo("a text that is too long to stand in the record itself".into());
        });
    });
    block_on(root.recorded_by(timbal));
}

/// Remembers the numbers of the spans that it was given, and does before what it is told.
struct Export<F> {
    seqs: Arc<Mutex<Vec<u64>>>,
    before: F,
}

impl<F: Fn() -> Result<(), ExportError> + Send + Sync + 'static> Exporter for Export<F> {
    fn export(&self, batch: &Batch) -> Result<(), ExportError> {
        (self.before)()?;
        self.seqs.lock().unwrap().extend(batch.spans().map(|span| span.seq));
        Ok(())
    }
}

type Seqs = Arc<Mutex<Vec<u64>>>;

fn exporting(
    before: impl Fn() -> Result<(), ExportError> + Send + Sync + 'static,
) -> (Seqs, Timbal) {
    let seqs = Seqs::default();
    let exporter = Export { seqs: Arc::clone(&seqs), before };
    (seqs, Timbal::builder().exporter(exporter).build())
}

/// Waits until its channel is closed.
fn block(wait: mpsc::Receiver<()>) -> impl Fn() + Send + Sync + 'static {
    let wait = Mutex::new(wait);
    move || {
        let _closed = wait.lock().unwrap().recv();
    }
}

struct Blocked<F>(F);

impl<F: Fn() + Send + Sync + 'static> Store for Blocked<F> {
    fn put(&self, _: &Batch) -> Result<(), StoreError> {
        (self.0)();
        Ok(())
    }

    fn trace(&self, _: RunId) -> Result<Option<Trace>, StoreError> {
        Ok(None)
    }
}

#[test]
fn an_exporter_gets_every_finished_span_in_the_order_of_the_ends() {
    let (seqs, timbal) = exporting(|| Ok(()));
    run(&timbal, 2_000);
    block_on(timbal.flush()).unwrap();
    let expected: Vec<u64> = (1..=2_000).chain([0]).collect();
    assert_eq!(*seqs.lock().unwrap(), expected);
    let health = timbal.health();
    assert_eq!((health.written, health.exported, health.not_exported), (2_001, 2_001, 0));
}

#[test]
fn an_exporter_that_fails_every_other_time_gets_all_in_order() {
    let fails = AtomicBool::new(false);
    let (seqs, timbal) = exporting(move || match fails.fetch_not(Ordering::Relaxed) {
        false => Err(ExportError::failed("the other side is busy")),
        true => Ok(()),
    });
    run(&timbal, 2_000);
    block_on(timbal.flush()).unwrap();
    let expected: Vec<u64> = (1..=2_000).chain([0]).collect();
    assert_eq!(*seqs.lock().unwrap(), expected);
    assert_eq!(timbal.health().last_error.unwrap(), "the exporter failed: the other side is busy");
}

#[test]
fn an_exporter_that_panics_has_failed() {
    let panics = AtomicU32::new(2);
    let (seqs, timbal) = exporting(move || {
        let left = panics.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1));
        assert!(left.is_err(), "a bug in the exporter");
        Ok(())
    });
    run(&timbal, 1);
    block_on(timbal.flush()).unwrap();
    assert_eq!(*seqs.lock().unwrap(), [1, 0]);
    assert_eq!(timbal.health().last_error.unwrap(), "the exporter panicked: a bug in the exporter");
}

#[test]
fn an_exporter_that_never_answers_is_in_nobodys_way() {
    let (go, wait) = mpsc::channel();
    let blocked = block(wait);
    let (seqs, store) = (Seqs::default(), MemoryStore::new().with_max_spans(usize::MAX));
    let before = move || {
        blocked();
        Ok(())
    };
    let exporter = Export { seqs: Arc::clone(&seqs), before };
    let timbal = Timbal::builder()
        .store(store.clone().with_max_bytes(usize::MAX))
        .exporter(exporter)
        .flush_within(Duration::from_millis(1))
        .build();
    for _ in 0..20 {
        run(&timbal, 10_000);
        while timbal.health().queued > 0 {
            std::thread::yield_now(); // the store is not held up
        }
    }
    assert!(matches!(block_on(timbal.flush()), Err(StoreError::TimedOut)));
    let health = timbal.health();
    assert_eq!((health.written, health.lost, store.len()), (200_020, 0, 200_020));
    // What waits for it is bounded, the rest is counted: here by bytes, as these are not small.
    assert!(health.not_exported > 100_000, "{health:?}");
    drop(go);
    while block_on(timbal.flush()).is_err() {}
    let health = timbal.health();
    assert_eq!(health.exported + health.not_exported, 200_020);
    assert_eq!(seqs.lock().unwrap().len() as u64, health.exported);
}

#[test]
fn a_guard_says_of_an_exporter_that_is_behind_that_not_all_is_exported() {
    let (go, wait) = mpsc::channel::<()>();
    let blocked = block(wait);
    let before = move || {
        blocked();
        Ok(())
    };
    let exporter = Export { seqs: Seqs::default(), before };
    let within = Duration::from_millis(10);
    let timbal = Timbal::builder().exporter(exporter).flush_within(within).build();
    let guard = timbal.install().unwrap();
    run(&timbal, 1);
    block_on(timbal.trace(RunId::from_u128(1).unwrap())).unwrap(); // the store has all
    drop(guard);
    assert_eq!(timbal.health().last_error.unwrap(), "not all is exported after 10ms");
    drop(go);
}

#[test]
fn a_store_that_never_answers_holds_up_no_other() {
    let (go, wait) = mpsc::channel();
    let store = MemoryStore::new();
    let timbal = Timbal::builder().store(Blocked(block(wait))).store(store.clone()).build();
    run(&timbal, 100);
    while store.len() < 101 {
        std::thread::yield_now();
    }
    let health = timbal.health();
    assert_eq!((health.queued, health.written), (101, 0)); // of the one that has written least
    drop(go);
    block_on(timbal.flush()).unwrap();
    assert_eq!(timbal.health().written, 101);
}

#[test]
fn what_one_of_two_stores_has_no_place_for_is_counted() {
    let (go, wait) = mpsc::channel();
    let store = MemoryStore::new();
    let timbal = Timbal::builder().store(store.clone()).store(Blocked(block(wait))).build();
    for _ in 0..20 {
        run(&timbal, 10_000);
        while store.len() as u64 + store.evicted() < timbal.health().queued {
            std::thread::yield_now();
        }
    }
    drop(go);
    block_on(timbal.flush()).unwrap();
    let health = timbal.health();
    assert!(health.lost > 50_000, "{health:?}");
    assert_eq!((health.written + health.lost, health.queued), (200_020, 0));
    assert_eq!(store.len() as u64 + store.evicted(), 200_020);
}
