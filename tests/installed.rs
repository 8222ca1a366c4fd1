//! The recorder of the process: there is one, until its guard goes.

use futures::executor::block_on;
use serde::{Serialize, Serializer};
use std::sync::atomic::{AtomicU32, Ordering};
use timbal::{MemoryStore, Timbal, runnable};

/// Counts how often it is captured.
struct Counted;

static CAPTURED: AtomicU32 = AtomicU32::new(0);

impl Serialize for Counted {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        CAPTURED.fetch_add(1, Ordering::Relaxed);
        serializer.serialize_unit()
    }
}

#[runnable]
async fn pass(counted: Counted) -> Counted {
    timbal::emit(&counted).await;
    timbal::metadata("counted", &counted);
    counted
}

// The recorder is the process's, so these are one test.
#[test]
fn a_process_has_one_recorder_at_a_time() {
    // Nothing is installed: nothing is captured.
    block_on(pass(Counted));
    assert!(block_on(async { timbal::current().is_none() }));
    assert_eq!(CAPTURED.load(Ordering::Relaxed), 0);

    // Installed: every call is recorded.
    let store = MemoryStore::new();
    let timbal = Timbal::builder().store(store.clone()).build();
    let guard = timbal.install().unwrap();
    block_on(pass(Counted));
    assert_eq!(CAPTURED.load(Ordering::Relaxed), 3); // input, metadata, output; nobody reads chunks

    // A second one is refused, and the first goes on.
    let error = Timbal::builder().build().install().unwrap_err();
    assert_eq!(error.to_string(), "a recorder is installed already: drop its guard first");
    assert!(matches!(timbal::init().unwrap_err(), timbal::InitError::Install(_)));
    block_on(pass(Counted));

    // The guard writes everything out.
    drop(guard);
    assert_eq!(store.len(), 2);
    block_on(pass(Counted));
    assert_eq!(CAPTURED.load(Ordering::Relaxed), 6);

    // Then another can be installed.
    drop(timbal::init().unwrap());
}
