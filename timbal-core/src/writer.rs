//! The writer: the thread that takes ended calls from the ledger and gives them to the outlets.

use std::sync::Arc;

use crate::intake::Intake;
use crate::looks::Looks;
use crate::outlets::{Letter, Outlets};
use crate::record::Record;
use crate::shard::Sheet;
use crate::store::Batch;

/// The most calls, and bytes of them, that a store is given at once.
const BATCH_CALLS: usize = 512;
const BATCH_BYTES: usize = 1 << 20;

/// Writes until the ledger is closed and empty.
pub(crate) fn run(intake: &Intake, outlets: &Outlets) {
    let (ledger, mut looks) = (&intake.ledger, Looks::new());
    let give = |records: &mut dyn Iterator<Item = Record>, letter: fn(Arc<Batch>) -> Letter| {
        batches(records).for_each(|batch| outlets.give(&letter(Arc::new(batch))));
    };
    loop {
        let mut taken = ledger.take(looks.next());
        for ended in &mut taken.shards {
            give(&mut blank(ended), Letter::Ended);
        }
        let commits = std::mem::take(&mut taken.orders.commits);
        if !commits.is_empty() {
            outlets.give(&Letter::Commits(Arc::new(commits)));
        }
        // After what has ended, and before what will: the last that is put of a call is how it ended.
        give(&mut looks.look(ledger).into_iter(), Letter::Open);
        let is_last = taken.is_last();
        ledger.finish(taken);
        if is_last {
            give(&mut Looks::interrupted(ledger).into_iter(), Letter::Open);
            ledger.bell.end();
            return outlets.end();
        }
    }
}

/// What stands on these sheets, which are blank then.
fn blank(sheets: &mut [Sheet]) -> impl Iterator<Item = Record> {
    sheets.iter_mut().filter_map(|sheet| sheet.take())
}

/// The records, in order, in batches of bounded size.
fn batches(records: impl Iterator<Item = Record>) -> impl Iterator<Item = Batch> {
    let mut records = records.peekable();
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
