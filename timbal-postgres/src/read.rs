//! Reads traces.

use std::sync::LazyLock;

use timbal_core::{RunId, StatusCode, StoreError, Trace};

use crate::PostgresStore;
use crate::row::{COLUMNS, Row, uuid};

static SPANS: LazyLock<String> =
    LazyLock::new(|| format!("SELECT {} FROM timbal_spans WHERE run_id = $1", COLUMNS.join(", ")));

/// All spans of a run.
pub(crate) fn trace(store: &PostgresStore, run_id: RunId) -> Result<Option<Trace>, StoreError> {
    let read = || -> Result<Vec<Row>, StoreError> {
        let rows = store.query(&**SPANS, vec![Box::new(uuid(run_id))])?;
        rows.iter().map(|row| Row::read(row).map_err(StoreError::failed)).collect()
    };
    let (rows, alive) = store.with_writers(read, running)?;
    let spans = rows.into_iter().map(|row| {
        let is_lost = running(&row).is_some_and(|writer| !alive.contains(&writer));
        let mut span = row.span()?;
        if is_lost {
            span.status.code = StatusCode::Interrupted;
        }
        Ok(span)
    });
    Ok(Trace::new(spans.collect::<Result<_, StoreError>>()?))
}

/// The writer of a call that has not ended.
fn running(row: &Row) -> Option<i64> {
    (row.status == "running").then(|| row.writer.unwrap_or(0))
}
