//! `Writer`: puts spans into the file.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::PathBuf;

use rusqlite::{Connection, Transaction, TransactionBehavior};
use timbal_core::{Batch, RunId, Span, StatusCode, StoreError};

use crate::columns::{object_text, payload_text, run_bytes, signed};
use crate::words::Words;
use crate::writer_lock::WriterLock;

/// The connection that writes, and what it knows of the file.
pub(crate) struct Writer {
    path: PathBuf,
    connection: Connection,
    words: Words,
    /// Taken with the first running call.
    lock: Option<WriterLock>,
}

impl Writer {
    pub(crate) fn new(path: PathBuf, connection: Connection) -> Self {
        Self { path, connection, words: Words::default(), lock: None }
    }

    pub(crate) fn connection(&mut self) -> &mut Connection {
        self.words = Words::default(); // whoever asks for it may remove some of them
        &mut self.connection
    }

    /// Puts all of these spans, or none.
    pub(crate) fn put(&mut self, batch: &Batch) -> Result<(), StoreError> {
        if batch.is_empty() {
            return Ok(());
        }
        let put = self.try_put(batch);
        if put.is_err() {
            self.words = Words::default(); // some of them were rolled back
        }
        put
    }

    fn try_put(&mut self, batch: &Batch) -> Result<(), StoreError> {
        let Self { path, connection, words, lock } = self;
        // Taken at once: a lock that is asked for later, for what was read, may never be given.
        let whole = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(StoreError::failed)?;
        words.refresh(&whole).map_err(StoreError::failed)?;
        let mut first_calls: HashMap<RunId, FirstCall> = HashMap::new();
        for span in batch.spans() {
            let writer = match &span.status.code {
                StatusCode::Running if lock.is_none() => {
                    let taken = WriterLock::take(path).map_err(StoreError::failed)?;
                    Some(lock.insert(taken).id())
                }
                StatusCode::Running => lock.as_ref().map(WriterLock::id),
                _ => None,
            };
            let path_id = put_span(&whole, words, &span, writer)?;
            let call = FirstCall { span, path_id, writer };
            match first_calls.entry(call.span.run_id) {
                Entry::Vacant(entry) => drop(entry.insert(call)),
                Entry::Occupied(mut entry) if call.key() <= entry.get().key() => {
                    entry.insert(call);
                }
                Entry::Occupied(_) => {}
            }
        }
        for call in first_calls.values() {
            put_run(&whole, call)?;
        }
        whole.commit().map_err(StoreError::failed)
    }
}

/// The call of a batch by which its run is summed up, if no better one is in the file.
struct FirstCall {
    span: Span,
    path_id: i64,
    writer: Option<i64>,
}

impl FirstCall {
    /// That of the run's first call is the least.
    fn key(&self) -> impl Ord + use<> {
        let span = &self.span;
        (span.parent_call_id.is_some(), span.t0, span.seq, span.call_id)
    }
}

const PUT_SPAN: &str = "
    INSERT INTO spans (run_id, call_id, parent_call_id, parent_run_id, path_id, definition_id,
        process_id, status, writer, t0, t1, seq, elapsed_ns, busy_ns, polls, calls, chunks,
        first_chunk_ns, usage, usage_own, schema, allocated_bytes)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19,
        ?20, ?21, ?22)
    ON CONFLICT (run_id, call_id) DO NOTHING";

/// What a span that is put again replaces. Its id stays.
const PUT_SPAN_AGAIN: &str = "
    UPDATE spans SET parent_call_id = ?3, parent_run_id = ?4, path_id = ?5, definition_id = ?6,
        process_id = ?7, status = ?8, writer = ?9, t0 = ?10, t1 = ?11, seq = ?12,
        elapsed_ns = ?13, busy_ns = ?14, polls = ?15, calls = ?16, chunks = ?17,
        first_chunk_ns = ?18, usage = ?19, usage_own = ?20, schema = ?21,
        allocated_bytes = ?22
    WHERE run_id = ?1 AND call_id = ?2 RETURNING id";

const PUT_PAYLOADS: &str = "
    INSERT OR REPLACE INTO payloads (id, input, output, error, metadata, reason, message)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";

/// Puts a span, and gives the id of its path.
fn put_span(
    whole: &Transaction<'_>,
    words: &mut Words,
    span: &Span,
    writer: Option<i64>,
) -> Result<i64, StoreError> {
    let path_id = words.path(whole, span).map_err(StoreError::failed)?;
    let id = put_numbers(whole, words, span, path_id, writer)?;
    let error = span.error.as_ref().map(serde_json::to_string).transpose();
    let values = (
        id,
        payload_text(&span.input),
        payload_text(&span.output),
        error.map_err(StoreError::failed)?,
        object_text(&span.metadata)?,
        &span.status.reason,
        &span.status.message,
    );
    let put = || whole.prepare_cached(PUT_PAYLOADS)?.execute(values);
    put().map_err(StoreError::failed)?;
    Ok(path_id)
}

/// Puts all but the payloads, and gives the id of the span.
fn put_numbers(
    whole: &Transaction<'_>,
    words: &mut Words,
    span: &Span,
    path_id: i64,
    writer: Option<i64>,
) -> Result<i64, StoreError> {
    let definition_id = words.definition(whole, &span.definition).map_err(StoreError::failed)?;
    let process_id = words.process(whole, &span.process).map_err(StoreError::failed)?;
    let (status, run_id) = (span.status.code.to_string(), run_bytes(span.run_id));
    let (usage, usage_own) = (object_text(&span.usage)?, object_text(&span.usage_own)?);
    let parent_run_id = span.parent_run_id.map(run_bytes);
    let values = rusqlite::params![
        run_id,
        signed(span.call_id.as_u64()),
        span.parent_call_id.map(|id| signed(id.as_u64())),
        parent_run_id,
        path_id,
        definition_id,
        process_id,
        status,
        writer,
        signed(span.t0.as_nanos()),
        signed(span.t1.as_nanos()),
        signed(span.seq),
        signed(span.elapsed_ns),
        signed(span.busy_ns),
        signed(span.polls),
        signed(span.calls),
        signed(span.chunks),
        span.first_chunk_ns.map(signed),
        usage,
        usage_own,
        span.schema,
        span.allocated_bytes.map(signed),
    ];
    let put = || match whole.prepare_cached(PUT_SPAN)?.execute(values)? {
        0 => whole.prepare_cached(PUT_SPAN_AGAIN)?.query_one(values, |row| row.get(0)),
        _ => Ok(whole.last_insert_rowid()),
    };
    put().map_err(StoreError::failed)
}

/// Puts what a run is summed up by, unless there is an earlier call.
const PUT_RUN: &str = "
    INSERT INTO runs (run_id, call_id, has_parent, seq, parent_run_id, path_id, status, reason,
        message, writer, t0, t1, elapsed_ns, usage)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
    ON CONFLICT (run_id) DO UPDATE SET call_id = ?2, has_parent = ?3, seq = ?4, parent_run_id = ?5,
        path_id = ?6, status = ?7, reason = ?8, message = ?9, writer = ?10, t0 = ?11, t1 = ?12,
        elapsed_ns = ?13, usage = ?14
    WHERE runs.call_id = ?2
        OR (?3, ?11, ?4, ?2) < (runs.has_parent, runs.t0, runs.seq, runs.call_id)";

fn put_run(whole: &Transaction<'_>, call: &FirstCall) -> Result<(), StoreError> {
    let FirstCall { span, path_id, writer } = call;
    let usage = object_text(&span.usage)?;
    let put = || {
        whole.prepare_cached(PUT_RUN)?.execute(rusqlite::params![
            run_bytes(span.run_id),
            signed(span.call_id.as_u64()),
            span.parent_call_id.is_some(),
            signed(span.seq),
            span.parent_run_id.map(run_bytes),
            path_id,
            span.status.code.to_string(),
            span.status.reason,
            span.status.message,
            writer,
            signed(span.t0.as_nanos()),
            signed(span.t1.as_nanos()),
            signed(span.elapsed_ns),
            usage,
        ])
    };
    put().map(drop).map_err(StoreError::failed)
}
