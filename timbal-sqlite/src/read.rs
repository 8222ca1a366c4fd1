//! Reads traces.

use std::collections::HashMap;

use rusqlite::{Row, Transaction};
use timbal_core::{
    CallError, Definition, OutputEvent, Process, RunId, Span, StartEvent, StoreError, Trace,
};

use crate::columns::{
    call_id, metadata, optional_run_id, payload, run_bytes, status, text, timestamp, unsigned,
    usage,
};
use crate::writer_lock::Writers;

const SPANS: &str = "
    SELECT spans.call_id, spans.parent_call_id, spans.parent_run_id, paths.path, paths.name,
        spans.definition_id, spans.process_id, spans.status, payloads.reason, payloads.message,
        spans.writer, spans.t0, spans.t1, spans.seq, spans.elapsed_ns, spans.busy_ns, spans.polls,
        spans.calls, spans.chunks, spans.first_chunk_ns, spans.usage, spans.usage_own,
        spans.schema, payloads.input, payloads.output, payloads.error, payloads.metadata,
        spans.allocated_bytes
    FROM spans
        CROSS JOIN paths ON paths.id = spans.path_id
        CROSS JOIN payloads ON payloads.id = spans.id
    WHERE spans.run_id = ?1";

/// All spans of a run.
pub(crate) fn trace(
    moment: &Transaction<'_>,
    writers: Writers<'_>,
    run_id: RunId,
) -> Result<Option<Trace>, StoreError> {
    let mut reader =
        SpanReader { moment, writers, definitions: HashMap::new(), processes: HashMap::new() };
    let mut spans = Vec::new();
    let mut statement = moment.prepare_cached(SPANS).map_err(StoreError::failed)?;
    let mut rows = statement.query([run_bytes(run_id)]).map_err(StoreError::failed)?;
    while let Some(row) = rows.next().map_err(StoreError::failed)? {
        spans.push(reader.span(run_id, row)?);
    }
    Ok(Trace::new(spans))
}

/// Makes spans of rows, and remembers what many of them say.
struct SpanReader<'a> {
    moment: &'a Transaction<'a>,
    writers: Writers<'a>,
    definitions: HashMap<i64, Definition>,
    processes: HashMap<i64, Process>,
}

impl SpanReader<'_> {
    fn span(&mut self, run_id: RunId, row: &Row<'_>) -> Result<Span, StoreError> {
        let path = text(row, 3)?.unwrap_or_default();
        let get = |column| unsigned(row, column).map_err(StoreError::failed);
        let optional = |column| -> Result<Option<u64>, StoreError> {
            let number: Option<i64> = row.get(column).map_err(StoreError::failed)?;
            Ok(number.map(|number| number as u64))
        };
        let mut start = StartEvent::new(run_id, call_id(get(0)?)?, path);
        start.parent_call_id = optional(1)?.map(call_id).transpose()?;
        start.parent_run_id = optional_run_id(row, 2)?;
        let mut done = OutputEvent::new(start, timestamp(row, 11).map_err(StoreError::failed)?);
        done.t1 = timestamp(row, 12).map_err(StoreError::failed)?;
        done.status = status(row, [7, 8, 9, 10], &mut self.writers)?;
        (done.input, done.output) = (payload(row, 23)?, payload(row, 24)?);
        done.error = text(row, 25)?.map(error).transpose()?;
        (done.usage, done.metadata) = (usage(row, 20)?, metadata(row, 26)?);

        let mut definition = self.definition(get(5)? as i64)?;
        definition.name = text(row, 4)?.unwrap_or_default().to_owned().into();
        let mut span = Span::new(done, definition);
        span.process = self.process(get(6)? as i64)?;
        span.seq = get(13)?;
        (span.elapsed_ns, span.busy_ns) = (get(14)?, get(15)?);
        (span.polls, span.calls, span.chunks) = (get(16)?, get(17)?, get(18)?);
        span.first_chunk_ns = optional(19)?;
        span.allocated_bytes = optional(27)?;
        span.usage_own = usage(row, 21)?;
        span.schema = row.get(22).map_err(StoreError::failed)?;
        Ok(span)
    }

    fn definition(&mut self, id: i64) -> Result<Definition, StoreError> {
        if let Some(known) = self.definitions.get(&id) {
            return Ok(known.clone());
        }
        let sql = "SELECT module_path, file, line, column, crate_version FROM definitions
            WHERE id = ?1";
        let read = |row: &Row<'_>| {
            let mut definition = Definition::new("");
            definition.module_path = row.get::<_, String>(0)?.into();
            definition.file = row.get::<_, String>(1)?.into();
            (definition.line, definition.column) = (row.get(2)?, row.get(3)?);
            definition.crate_version = row.get::<_, Option<String>>(4)?.map(Into::into);
            Ok(definition)
        };
        let found = self.moment.prepare_cached(sql).and_then(|mut sql| sql.query_one([id], read));
        let definition = found.map_err(StoreError::failed)?;
        self.definitions.insert(id, definition.clone());
        Ok(definition)
    }

    fn process(&mut self, id: i64) -> Result<Process, StoreError> {
        if let Some(known) = self.processes.get(&id) {
            return Ok(known.clone());
        }
        let sql = "SELECT program, pid, since FROM processes WHERE id = ?1";
        let read = |row: &Row<'_>| {
            let mut process = Process::current().clone();
            (process.program, process.pid) = (row.get(0)?, row.get(1)?);
            process.since = timestamp(row, 2)?;
            Ok(process)
        };
        let found = self.moment.prepare_cached(sql).and_then(|mut sql| sql.query_one([id], read));
        let process = found.map_err(StoreError::failed)?;
        self.processes.insert(id, process.clone());
        Ok(process)
    }
}

pub(crate) fn error(json: &str) -> Result<CallError, StoreError> {
    serde_json::from_str(json).map_err(StoreError::failed)
}
