//! Finds runs.

use rusqlite::{Connection, Row, ToSql, Transaction};
use timbal_core::{
    Filter, OutputEvent, Page, RunId, RunSummary, Span, StartEvent, StatusCode, StoreError,
    TextSearch,
};

use crate::columns::{
    bound, call_id, optional_run_id, run_bytes, run_id, status, text, timestamp, unsigned, usage,
};
use crate::read;
use crate::writer_lock::Writers;

/// The runs that a filter asks for: what SQLite finds by its indexes, looked at one by one.
pub(crate) fn page(
    moment: &Transaction<'_>,
    mut writers: Writers<'_>,
    filter: &Filter,
) -> Result<Page, StoreError> {
    let Some((sql, values)) = query(moment, filter).map_err(StoreError::failed)? else {
        return Ok(Page::default());
    };
    let mut statement = moment.prepare_cached(&sql).map_err(StoreError::failed)?;
    let values: Vec<&dyn ToSql> = values.iter().map(|value| &**value).collect();
    let mut rows = statement.query(&values[..]).map_err(StoreError::failed)?;
    let newest_first = std::iter::from_fn(|| match rows.next() {
        Ok(row) => row.map(|row| summary(row, &mut writers)),
        Err(error) => Some(Err(StoreError::failed(error))),
    });
    let mut page =
        Page::collect(filter, newest_first, |run, text| has_text(moment, run.run_id, text))?;
    for run in &mut page.runs {
        run.spans = count(moment, run.run_id).map_err(StoreError::failed)?;
    }
    Ok(page)
}

/// What SQLite is asked, and its values.
type Query = (String, Vec<Box<dyn ToSql>>);

/// Leaves to [`Filter::matches`] what it cannot say: of what a run used, and whether a writer lives.
/// `None` if there can be no such runs. The runs come first in the join, for their index to give the
/// order.
fn query(moment: &Connection, filter: &Filter) -> rusqlite::Result<Option<Query>> {
    let mut sql = String::from(
        "SELECT runs.run_id, runs.call_id, runs.parent_run_id, paths.path, runs.status,
            runs.reason, runs.message, runs.writer, runs.t0, runs.t1, runs.elapsed_ns, runs.usage
        FROM runs CROSS JOIN paths ON paths.id = runs.path_id WHERE TRUE",
    );
    let mut values: Vec<Box<dyn ToSql>> = Vec::new();
    let mut add = |condition: &str, value: Box<dyn ToSql>| {
        values.push(value);
        sql += " AND ";
        sql += &condition.replace('?', &format!("?{}", values.len()));
    };
    if let Some(path) = &filter.path {
        let mut ids = moment.prepare_cached("SELECT id FROM paths WHERE path = ?1")?;
        let ids: Vec<i64> =
            ids.query_map([path], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        match ids[..] {
            [] => return Ok(None),
            [id] => add("runs.path_id = ?", Box::new(id)),
            // Its calls have different names: `b.c` in `a`, and `c` in `a.b`.
            _ => add("paths.path = ?", Box::new(path.clone())),
        }
    }
    match filter.status {
        Some(StatusCode::Success) => add("runs.status = ?", Box::new("success")),
        // With a word that the index on the others knows.
        Some(StatusCode::Running | StatusCode::Interrupted) => {
            add(
                "runs.status <> 'success' AND runs.status IN ('interrupted', ?)",
                Box::new("running"),
            );
        }
        Some(code) => {
            add("runs.status <> 'success' AND runs.status = ?", Box::new(code.to_string()));
        }
        None => {}
    }
    if let Some(since) = filter.since {
        add("runs.t0 >= ?", Box::new(bound(since)));
    }
    if let Some(until) = filter.until {
        add("runs.t0 < ?", Box::new(bound(until)));
    }
    if let Some(parent) = filter.parent_run {
        add("runs.parent_run_id = ?", Box::new(run_bytes(parent)));
    }
    if let Some(after) = filter.after {
        add("runs.t0 <= ?", Box::new(bound(after.t0())));
    }
    sql += " ORDER BY runs.t0 DESC, runs.run_id DESC";
    Ok(Some((sql, values)))
}

/// A run without the number of its spans: that takes as long as there are many.
fn summary(row: &Row<'_>, writers: &mut Writers<'_>) -> Result<RunSummary, StoreError> {
    let get = |column| unsigned(row, column).map_err(StoreError::failed);
    let time = |column| timestamp(row, column).map_err(StoreError::failed);
    let path = text(row, 3)?.unwrap_or_default();
    let mut start = StartEvent::new(run_id(row, 0)?, call_id(get(1)?)?, path);
    start.parent_run_id = optional_run_id(row, 2)?;
    let mut done = OutputEvent::new(start, time(8)?);
    done.t1 = time(9)?;
    done.status = status(row, [4, 5, 6, 7], writers)?;
    done.usage = usage(row, 11)?;
    let mut run = RunSummary::new(&Span::new(done, timbal_core::Definition::new("")), 0);
    run.elapsed_ns = get(10)?;
    Ok(run)
}

fn count(moment: &Transaction<'_>, run_id: RunId) -> rusqlite::Result<u64> {
    let mut sql = moment.prepare_cached("SELECT count(*) FROM spans WHERE run_id = ?1")?;
    sql.query_one([run_bytes(run_id)], |row| unsigned(row, 0))
}

fn has_text(
    moment: &Transaction<'_>,
    run_id: RunId,
    search: &TextSearch,
) -> Result<bool, StoreError> {
    let sql = "SELECT input, output, error FROM payloads
        WHERE id IN (SELECT id FROM spans WHERE run_id = ?1)";
    let mut statement = moment.prepare_cached(sql).map_err(StoreError::failed)?;
    let mut rows = statement.query([run_bytes(run_id)]).map_err(StoreError::failed)?;
    while let Some(row) = rows.next().map_err(StoreError::failed)? {
        let json = |column| text(row, column).map(|json| json.unwrap_or("null"));
        let error = text(row, 2)?.map(read::error).transpose()?;
        if search.in_json(json(0)?)
            || search.in_json(json(1)?)
            || error.is_some_and(|error| search.in_error(&error))
        {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema;
    use timbal_core::Timestamp;

    /// How SQLite goes about it, a step a line.
    fn plan(filter: &Filter) -> Vec<String> {
        let mut connection = Connection::open_in_memory().unwrap();
        schema::migrate(&mut connection).unwrap();
        connection.execute("INSERT INTO paths (path, name) VALUES ('a', 'a')", []).unwrap();
        let (sql, values) = query(&connection, filter).unwrap().unwrap();
        let values: Vec<&dyn ToSql> = values.iter().map(|value| &**value).collect();
        let mut plan = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        plan.query_map(&values[..], |row| row.get(3)).unwrap().map(Result::unwrap).collect()
    }

    #[test]
    fn an_index_gives_the_order() {
        let time = Timestamp::from_millis(7);
        for (filter, index) in [
            (Filter::new(), "SCAN runs USING INDEX runs_by_time"),
            (Filter::new().since(time), "SEARCH runs USING INDEX runs_by_time (t0>?)"),
            (Filter::new().path("a"), "SEARCH runs USING INDEX runs_by_path (path_id=?)"),
            (
                Filter::new().path("a").until(time),
                "SEARCH runs USING INDEX runs_by_path (path_id=? AND t0<?)",
            ),
            (
                Filter::new().status(StatusCode::Error),
                "SEARCH runs USING INDEX runs_by_status (status=?)",
            ),
            (
                Filter::new().parent_run(RunId::from_u128(7).unwrap()).since(time),
                "SEARCH runs USING INDEX runs_by_parent (parent_run_id=? AND t0>?)",
            ),
        ] {
            let rest = "SEARCH paths USING INTEGER PRIMARY KEY (rowid=?)";
            assert_eq!(plan(&filter), [index, rest], "{filter:?}");
        }
    }
}
