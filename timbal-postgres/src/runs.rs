//! Finds runs.

use std::collections::{HashMap, VecDeque};

use timbal_core::{
    CallError, Cursor, Filter, OutputEvent, Page, RunSummary, Span, StartEvent, StatusCode,
    StoreError, TextSearch, Timestamp,
};
use uuid::Uuid;

use crate::PostgresStore;
use crate::row::{bound, call_id, parse, path_key, run_id, signed, status, timestamp, usage, uuid};
use crate::server::OwnedValues;
use crate::text::Text;

/// How many runs are read at once.
const RUNS_AT_ONCE: i64 = 256;

/// That no other call came before this one, `s`, in its run: of no call first, then in time.
pub(crate) const IS_FIRST: &str = "s.is_head AND NOT EXISTS (
    SELECT 1 FROM timbal_spans o WHERE o.run_id = s.run_id AND o.is_head
        AND (o.parent_call_id IS NOT NULL, o.t0, o.seq, o.call_id)
            < (s.parent_call_id IS NOT NULL, s.t0, s.seq, s.call_id))";

/// The runs that a filter asks for: what the server finds by its indexes, looked at one by one.
pub(crate) fn page(store: &PostgresStore, filter: &Filter) -> Result<Page, StoreError> {
    let mut newest_first = Runs { store, filter, read: VecDeque::new(), next: Next::First };
    let has_text = |run: &RunSummary, text: &TextSearch| has_text(store, uuid(run.run_id), text);
    let mut page = Page::collect(filter, &mut newest_first, has_text)?;
    count(store, &mut page.runs)?;
    Ok(page)
}

/// Runs as they are read, some at once.
struct Runs<'a> {
    store: &'a PostgresStore,
    filter: &'a Filter,
    read: VecDeque<RunSummary>,
    next: Next,
}

enum Next {
    First,
    Below(Cursor),
    None,
}

impl Iterator for Runs<'_> {
    type Item = Result<RunSummary, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.read.is_empty() {
            let below = match self.next {
                Next::First => self.filter.after,
                Next::Below(cursor) => Some(cursor),
                Next::None => return None,
            };
            match self.fetch(below) {
                Ok(read) => {
                    let is_last = (read.len() as i64) < RUNS_AT_ONCE;
                    let last = read.back().filter(|_| !is_last).map(RunSummary::cursor);
                    self.next = last.map_or(Next::None, Next::Below);
                    self.read = read;
                }
                Err(error) => {
                    self.next = Next::None;
                    return Some(Err(error));
                }
            }
        }
        self.read.pop_front().map(Ok)
    }
}

impl Runs<'_> {
    fn fetch(&self, below: Option<Cursor>) -> Result<VecDeque<RunSummary>, StoreError> {
        let read = || {
            let (sql, values) = query(self.filter, below);
            self.store.query(sql, values)
        };
        let running = |row: &tokio_postgres::Row| {
            let is_running = row.get::<_, &str>(4) == "running";
            is_running.then(|| row.get::<_, Option<i64>>(7).unwrap_or(0))
        };
        let (rows, alive) = self.store.with_writers(read, running)?;
        let summary = |row: &tokio_postgres::Row| {
            let mut run = summary(row)?;
            if running(row).is_some_and(|writer| !alive.contains(&writer)) {
                run.status.code = StatusCode::Interrupted;
            }
            Ok(run)
        };
        rows.iter().map(summary).collect()
    }
}

/// Leaves to [`Filter::matches`] what it cannot say: of what a run used, and whether a writer lives.
fn query(filter: &Filter, below: Option<Cursor>) -> (String, OwnedValues) {
    let mut sql = format!(
        "SELECT s.run_id, s.call_id, s.parent_run_id, s.path, s.status, s.reason, s.message,
            s.writer, s.t0, s.t1, s.elapsed_ns, s.usage
        FROM timbal_spans s WHERE {IS_FIRST}"
    );
    let mut values: OwnedValues = Vec::new();
    let mut add = |condition: &str, value: OwnedValues| {
        let mut parts = condition.split('?');
        sql += " AND ";
        sql += parts.next().unwrap_or_default();
        for (value, part) in value.into_iter().zip(parts) {
            values.push(value);
            sql += &format!("${}{part}", values.len());
        }
    };
    if let Some(path) = &filter.path {
        let key = path_key(path);
        add("s.path_key = ? AND s.path = ?", vec![Box::new(key), Box::new(Text(path.clone()))]);
    }
    match filter.status {
        Some(StatusCode::Success) => add("s.status = 'success'", Vec::new()),
        // With a word that the index on the others knows.
        Some(StatusCode::Running | StatusCode::Interrupted) => {
            let open = "s.status <> 'success' AND s.status IN ('running', 'interrupted')";
            add(open, Vec::new());
        }
        Some(code) => {
            let other = "s.status <> 'success' AND s.status = ?";
            add(other, vec![Box::new(code.to_string())]);
        }
        None => {}
    }
    if let Some(since) = filter.since {
        add("s.t0 >= ?", vec![Box::new(bound(since))]);
    }
    if let Some(until) = filter.until {
        add("s.t0 < ?", vec![Box::new(bound(until))]);
    }
    if let Some(parent) = filter.parent_run {
        add("s.parent_run_id = ?", vec![Box::new(uuid(parent))]);
    }
    if let Some(below) = below {
        let (t0, run_id) = (signed(below.t0().as_nanos()), uuid(below.run_id()));
        add("(s.t0, s.run_id) < (?, ?)", vec![Box::new(t0), Box::new(run_id)]);
    }
    sql += &format!(" ORDER BY s.t0 DESC, s.run_id DESC LIMIT {RUNS_AT_ONCE}");
    (sql, values)
}

/// A run without the number of its spans: that takes as long as there are many.
fn summary(row: &tokio_postgres::Row) -> Result<RunSummary, StoreError> {
    let read = || {
        let path: Text = row.try_get(3)?;
        let words: (String, Option<Text>, Option<Text>) =
            (row.try_get(4)?, row.try_get(5)?, row.try_get(6)?);
        let ids: (Uuid, i64, Option<Uuid>) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        let times: [i64; 3] = [row.try_get(8)?, row.try_get(9)?, row.try_get(10)?];
        Ok((path, words, ids, times, row.try_get(11)?))
    };
    let (path, words, ids, times, used) =
        read().map_err(|error: tokio_postgres::Error| StoreError::failed(error))?;
    let mut start = StartEvent::new(run_id(ids.0)?, call_id(ids.1)?, path.0);
    start.parent_run_id = ids.2.map(run_id).transpose()?;
    let mut done = OutputEvent::new(start, timestamp(times[0]));
    done.t1 = timestamp(times[1]);
    done.status = status(&words.0, words.1, words.2)?;
    done.usage = usage(used)?;
    let mut run = RunSummary::new(&Span::new(done, timbal_core::Definition::new("")), 0);
    run.elapsed_ns = Timestamp::from_nanos(times[2] as u64).as_nanos();
    Ok(run)
}

fn count(store: &PostgresStore, runs: &mut [RunSummary]) -> Result<(), StoreError> {
    if runs.is_empty() {
        return Ok(());
    }
    let sql = "SELECT run_id, count(*) FROM timbal_spans WHERE run_id = ANY($1) GROUP BY run_id";
    let ids: Vec<Uuid> = runs.iter().map(|run| uuid(run.run_id)).collect();
    let rows = store.query(sql, vec![Box::new(ids)])?;
    let counts: HashMap<Uuid, i64> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    for run in runs {
        run.spans = counts.get(&uuid(run.run_id)).copied().unwrap_or(0) as u64;
    }
    Ok(())
}

fn has_text(store: &PostgresStore, run: Uuid, search: &TextSearch) -> Result<bool, StoreError> {
    let sql = "SELECT input, output, error FROM timbal_spans WHERE run_id = $1";
    for row in store.query(sql, vec![Box::new(run)])? {
        let text = |column| row.try_get::<_, Option<Text>>(column).map_err(StoreError::failed);
        let json = |text: Option<Text>| text.map_or_else(|| "null".to_owned(), |text| text.0);
        let error: Option<CallError> = text(2)?.as_ref().map(parse).transpose()?;
        if search.in_json(&json(text(0)?))
            || search.in_json(&json(text(1)?))
            || error.is_some_and(|error| search.in_error(&error))
        {
            return Ok(true);
        }
    }
    Ok(false)
}
