//! What the stores and exporters of the process's recorder call: if that were recorded, it would never end.

use std::sync::atomic::{AtomicU64, Ordering};

use futures::executor::block_on;
use timbal::{
    Batch, ExportError, Exporter, MemoryStore, RunId, Store, StoreError, Timbal, Trace, runnable,
};

static SENT: AtomicU64 = AtomicU64::new(0);

#[runnable]
async fn send(spans: u64) {
    assert!(timbal::current().is_some(), "it is a call nevertheless");
    SENT.fetch_add(spans, Ordering::Relaxed);
}

/// Does all that it does by a call.
struct Calling(MemoryStore);

impl Store for Calling {
    fn put(&self, batch: &Batch) -> Result<(), StoreError> {
        block_on(send(batch.len() as u64));
        self.0.put(batch)
    }

    fn trace(&self, run_id: RunId) -> Result<Option<Trace>, StoreError> {
        block_on(send(0));
        self.0.trace(run_id)
    }
}

impl Exporter for Calling {
    fn export(&self, batch: &Batch) -> Result<(), ExportError> {
        block_on(send(batch.len() as u64));
        self.0.put(batch).map_err(ExportError::failed)
    }
}

// The recorder is the process's: there is no other test here.
#[test]
fn what_stores_and_exporters_call_is_not_recorded() {
    let (stored, exported) = (MemoryStore::new(), MemoryStore::new());
    let builder = Timbal::builder().store(Calling(stored.clone()));
    let guard = builder.exporter(Calling(exported.clone())).build().install().unwrap();
    let timbal = guard.timbal();
    let run_id = block_on(timbal::call!("own", async { timbal::current().unwrap().run_id() }));
    for _ in 0..3 {
        block_on(timbal.flush()).unwrap(); // what was recorded by the one is there for the next
        assert_eq!(block_on(timbal.trace(run_id)).unwrap().unwrap().to_string(), shown(run_id));
    }
    assert_eq!((stored.len(), exported.len(), SENT.load(Ordering::Relaxed)), (1, 1, 2));
    drop(guard);
}

fn shown(run_id: RunId) -> String {
    format!(r#"own -> "{run_id}""#)
}
