//! Counts calls, and names paths.

use rusqlite::Transaction;
use timbal_core::{Stats, StatsQuery, StoreError, Tally};

use crate::columns::{bound, status_code, text, timestamp, unsigned};

/// All of it stands in the index on paths and times.
const CALLS: &str = "
    SELECT t0, status, elapsed_ns, busy_ns, usage, usage_own FROM spans INDEXED BY spans_by_path
    WHERE path_id = ?1 AND t0 BETWEEN ?2 AND ?3";

pub(crate) fn stats(moment: &Transaction<'_>, query: &StatsQuery) -> Result<Stats, StoreError> {
    let mut tally = Tally::new(query);
    let since = query.since.map_or(i64::MIN, bound);
    let until = query.until.map_or(i64::MAX, |until| bound(until) - 1);
    let mut calls = moment.prepare_cached(CALLS).map_err(StoreError::failed)?;
    for (id, path) in asked(moment, query).map_err(StoreError::failed)? {
        let mut rows = calls.query((id, since, until)).map_err(StoreError::failed)?;
        while let Some(row) = rows.next().map_err(StoreError::failed)? {
            let get = |column| unsigned(row, column).map_err(StoreError::failed);
            let group = tally.group(&path, timestamp(row, 0).map_err(StoreError::failed)?);
            let status = status_code(text(row, 1)?.unwrap_or_default())?;
            if group.ended(status, get(2)?, get(3)?) {
                let [usage, usage_own] = [text(row, 4)?, text(row, 5)?];
                if usage.is_some() || usage_own.is_some() {
                    let [usage, usage_own] = [usage, usage_own].map(|used| used.unwrap_or("{}"));
                    group.used_json(usage, usage_own).map_err(StoreError::failed)?;
                }
            }
        }
    }
    Ok(tally.into_stats())
}

/// The paths that are asked for. There may be two of one text, whose last names differ.
fn asked(moment: &Transaction<'_>, query: &StatsQuery) -> rusqlite::Result<Vec<(i64, String)>> {
    let sql = "SELECT id, path FROM paths WHERE ?1 IS NULL OR path = ?1";
    let mut paths = moment.prepare_cached(sql)?;
    let paths = paths.query_map([&query.path], |row| Ok((row.get(0)?, row.get(1)?)))?;
    paths.collect()
}

/// The paths of all spans. Some that are named may have none, until somebody prunes.
pub(crate) fn paths(moment: &Transaction<'_>) -> Result<Vec<String>, StoreError> {
    let sql = "SELECT DISTINCT path FROM paths
        WHERE EXISTS (SELECT 1 FROM spans INDEXED BY spans_by_path WHERE path_id = paths.id)
        ORDER BY path";
    let paths = || -> rusqlite::Result<Vec<String>> {
        moment.prepare_cached(sql)?.query_map([], |row| row.get(0))?.collect()
    };
    paths().map_err(StoreError::failed)
}
