//! The writer: the thread that puts ended calls into the stores.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use crate::CallError;
use crate::intake::Intake;
use crate::recorder::Stores;
use crate::shard::Sheet;
use crate::store::{Batch, Store, StoreError};

/// The most calls, and bytes of them, that a store is given at once.
const BATCH_CALLS: usize = 512;
const BATCH_BYTES: usize = 1 << 20;

/// How long the writer waits before it tries a store again that failed: twice as long each time.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LAST_PAUSE: Duration = Duration::from_secs(5);

/// How long a store is tried again once the recorder has been closed.
const LAST_TRIES: Duration = Duration::from_secs(2);

/// Writes until the ledger is closed and empty.
pub(crate) fn run(intake: &Intake, stores: &Stores) {
    while let Some(mut taken) = intake.ledger.take() {
        for batch in taken.shards.iter_mut().flat_map(|ended| batches(ended)) {
            let mut is_written = true;
            for store in &stores.all {
                is_written &= put(intake, stores, &**store, &batch);
            }
            intake.ledger.done(batch.len(), is_written);
        }
        intake.ledger.finish(taken);
    }
}

/// The ended calls, in order, in batches of bounded size. It leaves their sheets blank.
fn batches(ended: &mut [Sheet]) -> impl Iterator<Item = Batch> {
    let mut records = ended.iter_mut().filter_map(|sheet| sheet.take()).peekable();
    std::iter::from_fn(move || {
        records.peek()?;
        let mut batch = Batch::default();
        while batch.len() < BATCH_CALLS && batch.weight() < BATCH_BYTES {
            let Some(record) = records.next() else { break };
            batch.push(record);
        }
        Some(batch)
    })
}

/// Puts a batch into a store, and tries until it is there; `false` if it was given up.
fn put(intake: &Intake, stores: &Stores, store: &dyn Store, batch: &Batch) -> bool {
    let mut pause = FIRST_PAUSE;
    let mut last_try = None;
    loop {
        let Err(error) = put_once(store, batch) else { return true };
        stores.note_error(error);
        if !intake.ledger.pause(pause) {
            let last_try = *last_try.get_or_insert_with(|| Instant::now() + LAST_TRIES);
            if Instant::now() >= last_try {
                return false;
            }
            std::thread::sleep(FIRST_PAUSE);
        }
        pause = (pause * 2).min(LAST_PAUSE);
    }
}

fn put_once(store: &dyn Store, batch: &Batch) -> Result<(), StoreError> {
    let put = catch_unwind(AssertUnwindSafe(|| store.put(batch)));
    put.unwrap_or_else(|panic| Err(StoreError::panicked(&CallError::from_caught(panic))))
}
