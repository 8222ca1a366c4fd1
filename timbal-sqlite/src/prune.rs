//! Lets go of runs.

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior};
use timbal_core::{Prune, Pruned, StoreError};

use crate::columns::bound;

/// How many spans go in one transaction, about.
const SPANS_AT_ONCE: u64 = 10_000;

/// Takes steps until the last, and says what went.
pub(crate) fn all(
    mut next: impl FnMut() -> Result<Step, StoreError>,
) -> Result<Pruned, StoreError> {
    let mut pruned = Pruned::default();
    loop {
        let step = next()?;
        pruned = Pruned::new(pruned.runs + step.gone.runs, pruned.spans + step.gone.spans);
        if step.is_last {
            return Ok(pruned);
        }
    }
}

/// What went in one transaction.
pub(crate) struct Step {
    gone: Pruned,
    is_last: bool,
}

/// Lets go of some runs, the oldest first.
pub(crate) fn step(connection: &mut Connection, prune: &Prune) -> Result<Step, StoreError> {
    let step = try_step(connection, prune).map_err(StoreError::failed)?;
    if step.is_last {
        // The runs are gone, whether or not somebody is in the way of this.
        let _another_time = shrink(connection);
    }
    Ok(step)
}

fn try_step(connection: &mut Connection, prune: &Prune) -> rusqlite::Result<Step> {
    let step = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let (mut runs, mut spans) = (0, 0);
    let is_last = loop {
        if spans > SPANS_AT_ONCE {
            break false;
        }
        let Some(run) = oldest(&step, prune)? else { break true };
        (runs, spans) = (runs + 1, spans + remove(&step, &run)?);
    };
    if is_last {
        remove_unused(&step)?;
    }
    step.commit()?;
    Ok(Step { gone: Pruned::new(runs, spans), is_last })
}

/// Gives pages that hold nothing back to the disk.
fn shrink(connection: &Connection) -> rusqlite::Result<()> {
    let mut vacuum = connection.prepare("PRAGMA incremental_vacuum")?;
    let mut freed = vacuum.query([])?; // a row a page
    while freed.next()?.is_some() {}
    connection.query_one("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
}

/// The oldest run, if it is to go.
fn oldest(step: &Transaction<'_>, prune: &Prune) -> rusqlite::Result<Option<[u8; 16]>> {
    let is_too_much = match prune.max_bytes {
        Some(max) => used_bytes(step)? > max,
        None => false,
    };
    let before = match (is_too_much, prune.before) {
        (true, _) => i64::MAX,
        (false, Some(before)) => bound(before),
        (false, None) => return Ok(None),
    };
    let sql = "SELECT run_id FROM runs WHERE t0 < ?1 ORDER BY t0, run_id LIMIT 1";
    step.prepare_cached(sql)?.query_one([before], |row| row.get(0)).optional()
}

/// The bytes of the pages that hold something.
fn used_bytes(step: &Transaction<'_>) -> rusqlite::Result<u64> {
    let number = |sql| step.prepare_cached(sql)?.query_one([], |row| row.get::<_, i64>(0));
    let pages = number("PRAGMA page_count")? - number("PRAGMA freelist_count")?;
    Ok((pages * number("PRAGMA page_size")?) as u64)
}

/// Removes a run, and says how many spans it had.
fn remove(step: &Transaction<'_>, run: &[u8; 16]) -> rusqlite::Result<u64> {
    let payloads = "DELETE FROM payloads WHERE id IN (SELECT id FROM spans WHERE run_id = ?1)";
    step.prepare_cached(payloads)?.execute([run])?;
    let spans = step.prepare_cached("DELETE FROM spans WHERE run_id = ?1")?.execute([run])?;
    step.prepare_cached("DELETE FROM runs WHERE run_id = ?1")?.execute([run])?;
    Ok(spans as u64)
}

/// Removes what only removed spans said.
fn remove_unused(step: &Transaction<'_>) -> rusqlite::Result<()> {
    step.execute_batch(
        "DELETE FROM paths WHERE id NOT IN (SELECT path_id FROM spans)
            AND id NOT IN (SELECT path_id FROM runs);
        DELETE FROM definitions WHERE id NOT IN (SELECT definition_id FROM spans);
        DELETE FROM processes WHERE id NOT IN (SELECT process_id FROM spans);",
    )
}
