//! Lets go of runs.

use timbal_core::{Prune, Pruned, StoreError};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::PostgresStore;
use crate::row::bound;
use crate::runs::IS_FIRST;
use crate::session::{Session, SessionError};

/// How many runs go in one transaction.
const RUNS_AT_ONCE: i64 = 500;

/// Where what stays begins: the time and id of a run.
type Cut = (i64, Uuid);

/// Lets go of days as a whole, and then of the other runs.
pub(crate) fn prune(store: &PostgresStore, prune: &Prune) -> Result<Pruned, StoreError> {
    let before = prune.before.map(|before| (bound(before), Uuid::nil()));
    let fits = prune.max_bytes.map(|max| first_that_fits(store, max)).transpose()?.flatten();
    let Some(cut) = before.max(fits) else { return Ok(Pruned::default()) };
    let mut gone = drop_days(store, cut)?;
    loop {
        let step = remove(store, cut)?;
        gone = Pruned::new(gone.runs + step.runs, gone.spans + step.spans);
        if step.runs < RUNS_AT_ONCE as u64 {
            return Ok(gone);
        }
    }
}

/// The oldest run that stays, so that what stays is not too much; behind all if nothing may stay.
/// `None` if all may stay.
fn first_that_fits(store: &PostgresStore, max: u64) -> Result<Option<Cut>, StoreError> {
    let sql = format!(
        "WITH sizes AS (SELECT run_id, sum(bytes) AS bytes FROM timbal_spans GROUP BY run_id),
        sums AS (
            SELECT s.t0, s.run_id,
                sum(sizes.bytes) OVER (ORDER BY s.t0 DESC, s.run_id DESC) AS bytes
            FROM timbal_spans s JOIN sizes ON sizes.run_id = s.run_id WHERE {IS_FIRST})
        SELECT t0, run_id, bytes <= $1::bigint FROM sums
        ORDER BY bytes <= $1::bigint DESC, t0, run_id LIMIT 1"
    );
    let all = "SELECT coalesce(sum(bytes), 0) <= $1::bigint FROM timbal_spans";
    let max = i64::try_from(max).unwrap_or(i64::MAX);
    if store.query(all, vec![Box::new(max)])?[0].get(0) {
        return Ok(None);
    }
    let first = store.query(sql, vec![Box::new(max)])?;
    let fits = first.first().filter(|row| row.get::<_, bool>(2));
    Ok(Some(fits.map_or((i64::MAX, Uuid::max()), |row| (row.get(0), row.get(1)))))
}

/// The tables of days.
const DAYS: &str = "SELECT inhrelid::regclass::text FROM pg_inherits
    WHERE inhparent = 'timbal_spans'::regclass
        AND inhrelid <> 'timbal_spans_other'::regclass
    ORDER BY 1";

fn drop_days(store: &PostgresStore, cut: Cut) -> Result<Pruned, StoreError> {
    let mut gone = Pruned::default();
    for day in store.query(DAYS, Vec::new())? {
        let day: String = day.try_get(0).map_err(StoreError::failed)?;
        let dropped = store.ask(|server| async move {
            let mut slot = server.reader().await;
            let session = server.reading(&mut slot).await?;
            session.batch("BEGIN").await?;
            let dropped = drop_day(session, &day, cut).await;
            session.batch(if dropped.is_ok() { "COMMIT" } else { "ROLLBACK" }).await?;
            dropped
        });
        let (runs, spans) = dropped?;
        gone = Pruned::new(gone.runs + runs, gone.spans + spans);
    }
    Ok(gone)
}

/// Drops the table of a day, if nothing of it stays, and says how many runs and spans it had.
async fn drop_day(session: &mut Session, day: &str, cut: Cut) -> Result<(u64, u64), SessionError> {
    let stays = format!(
        "SELECT EXISTS (SELECT 1 FROM {day} s
            WHERE {IS_FIRST} AND (s.t0, s.run_id) >= ($1, $2))"
    );
    let stays = async |session: &mut Session| -> Result<bool, SessionError> {
        Ok(session.query(&stays, &[&cut.0, &cut.1]).await?[0].try_get(0)?)
    };
    if stays(session).await? {
        return Ok((0, 0));
    }
    // Those who write are kept out now, and what they wrote before is looked at.
    session.batch(&format!("LOCK TABLE {day} IN SHARE ROW EXCLUSIVE MODE")).await?;
    if stays(session).await? {
        return Ok((0, 0));
    }
    let count = format!("SELECT count(DISTINCT run_id), count(*) FROM {day}");
    let counted: Row = session.query(&count, &[]).await?.remove(0);
    let (runs, spans): (i64, i64) = (counted.try_get(0)?, counted.try_get(1)?);
    session.batch(&format!("DROP TABLE {day}")).await?;
    Ok((runs as u64, spans as u64))
}

/// Removes some runs, the oldest first.
fn remove(store: &PostgresStore, cut: Cut) -> Result<Pruned, StoreError> {
    let sql = format!(
        "SELECT s.run_id FROM timbal_spans s WHERE {IS_FIRST} AND (s.t0, s.run_id) < ($1, $2)
        ORDER BY s.t0, s.run_id LIMIT {RUNS_AT_ONCE}"
    );
    let runs = store.query(sql, vec![Box::new(cut.0), Box::new(cut.1)])?;
    let runs: Vec<Uuid> = runs.iter().map(|row| row.get(0)).collect();
    let sql = "WITH gone AS (DELETE FROM timbal_spans WHERE run_id = ANY($1) RETURNING 1)
        SELECT count(*) FROM gone";
    let count = runs.len() as u64;
    let gone: i64 = store.query(sql, vec![Box::new(runs)])?[0].get(0);
    Ok(Pruned::new(count, gone as u64))
}
