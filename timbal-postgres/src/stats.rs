//! Counts calls, and names paths.

use timbal_core::{Stats, StatsQuery, StoreError, Tally};
use tokio_postgres::Row;

use crate::PostgresStore;
use crate::row::{bound, path_key, status_code, timestamp};
use crate::text::Text;

/// Some calls of a path, from one on.
const CALLS: &str = "
    SELECT t0, status, elapsed_ns, busy_ns, usage, usage_own, run_id, call_id FROM timbal_spans
    WHERE path_key = $1 AND path = $2 AND t0 BETWEEN $3 AND $4
        AND ($5::uuid IS NULL OR (t0, run_id, call_id) > ($3, $5, $6))
    ORDER BY t0, run_id, call_id LIMIT 50000";

/// Makes a path's statistics of its calls, so many at once.
pub(crate) fn stats(store: &PostgresStore, query: &StatsQuery) -> Result<Stats, StoreError> {
    let mut tally = Tally::new(query);
    let since = query.since.map_or(i64::MIN, bound);
    let until = query.until.map_or(i64::MAX, |until| bound(until) - 1);
    let paths = match &query.path {
        Some(path) => vec![path.clone()],
        None => paths(store)?,
    };
    for path in paths {
        let (mut since, mut last) = (since, None);
        loop {
            let (run_id, call_id): (Option<uuid::Uuid>, i64) = last.unwrap_or_default();
            let key = path_key(&path);
            let rows = store.query(
                CALLS,
                vec![
                    Box::new(key),
                    Box::new(Text(path.clone())),
                    Box::new(since),
                    Box::new(until),
                    Box::new(run_id),
                    Box::new(call_id),
                ],
            )?;
            rows.iter().try_for_each(|row| add(&mut tally, &path, row))?;
            match rows.last() {
                Some(row) if rows.len() == 50_000 => {
                    (since, last) = (row.get(0), Some((row.get(6), row.get(7))));
                }
                _ => break,
            }
        }
    }
    Ok(tally.into_stats())
}

fn add(tally: &mut Tally<'_>, path: &str, row: &Row) -> Result<(), StoreError> {
    let number = |column| row.try_get::<_, i64>(column).map_err(StoreError::failed);
    let group = tally.group(path, timestamp(number(0)?));
    let status = status_code(row.try_get(1).map_err(StoreError::failed)?)?;
    if group.ended(status, number(2)? as u64, number(3)? as u64) {
        let used = |column| row.try_get::<_, Option<Text>>(column).map_err(StoreError::failed);
        let [usage, usage_own] = [used(4)?, used(5)?];
        if usage.is_some() || usage_own.is_some() {
            let [usage, usage_own] =
                [&usage, &usage_own].map(|used| used.as_ref().map_or("{}", |text| &text.0));
            group.used_json(usage, usage_own).map_err(StoreError::failed)?;
        }
    }
    Ok(())
}

/// The paths of all spans: from one in the index to the next, whatever the number of calls.
pub(crate) fn paths(store: &PostgresStore) -> Result<Vec<String>, StoreError> {
    let sql = "
        WITH RECURSIVE keys AS (
            (SELECT path_key FROM timbal_spans ORDER BY path_key LIMIT 1)
            UNION ALL
            SELECT (SELECT s.path_key FROM timbal_spans s WHERE s.path_key > keys.path_key
                ORDER BY s.path_key LIMIT 1)
            FROM keys WHERE keys.path_key IS NOT NULL
        )
        SELECT (SELECT s.path FROM timbal_spans s WHERE s.path_key = keys.path_key LIMIT 1)
        FROM keys WHERE keys.path_key IS NOT NULL";
    let rows = store.query(sql, Vec::new())?;
    let paths = rows.iter().map(|row| row.try_get::<_, Option<Text>>(0));
    let paths: Result<Vec<Option<Text>>, _> = paths.collect();
    let paths = paths.map_err(StoreError::failed)?.into_iter().flatten();
    let mut paths: Vec<String> = paths.map(|text| text.0).collect();
    paths.sort_unstable();
    Ok(paths)
}
