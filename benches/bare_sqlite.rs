//! The same inserts as a store makes, by rusqlite alone: values that are ready, statements that are
//! prepared, and nothing else.

use std::path::Path;

use rusqlite::{Connection, params};
use timbal::{Span, SqliteStore};

use crate::variants::Failure;

/// One call, as the columns have it.
struct Row {
    run_id: [u8; 16],
    call_id: i64,
    parent_call_id: Option<i64>,
    t0: i64,
    t1: i64,
    seq: i64,
    elapsed_ns: i64,
    usage: Option<String>,
    input: String,
    output: String,
}

/// A file of a store, written to without it.
pub(crate) struct Bare {
    connection: Connection,
    batches: Vec<Vec<Row>>,
}

impl Bare {
    /// Opens a file of the same form, set up as the store does it, and makes these spans ready.
    pub(crate) fn open(file: &Path, batches: &[Vec<Span>]) -> Result<Self, Failure> {
        drop(SqliteStore::open(file)?);
        let connection = Connection::open(file)?;
        connection.execute_batch(
            "PRAGMA synchronous = full; PRAGMA cache_size = -16384;
            INSERT INTO paths (path, name) VALUES ('index', 'index'), ('index.count', 'count'),
                ('index.count.read', 'read'), ('index.save', 'save');
            INSERT INTO definitions (module_path, file, line, column) VALUES ('m', 'f', 1, 1);
            INSERT INTO processes (program, pid, since) VALUES ('p', 1, 1);",
        )?;
        connection.query_one("PRAGMA wal_autocheckpoint = 4000", [], |_| Ok(()))?;
        let batches = batches.iter().map(|spans| spans.iter().map(row).collect()).collect();
        Ok(Self { connection, batches })
    }

    /// Writes all batches, a transaction each.
    pub(crate) fn write(&mut self) -> Result<(), Failure> {
        for batch in &self.batches {
            let whole = self.connection.transaction()?;
            let mut spans = whole.prepare_cached(
                "INSERT INTO spans (run_id, call_id, parent_call_id, parent_run_id, path_id,
                    definition_id, process_id, status, writer, t0, t1, seq, elapsed_ns, busy_ns,
                    polls, calls, chunks, first_chunk_ns, usage, usage_own, schema)
                VALUES (?1, ?2, ?3, NULL, ?4, 1, 1, 'success', NULL, ?5, ?6, ?7, ?8, ?8, 1, 0, 0,
                    NULL, ?9, ?9, 1)",
            )?;
            let mut payloads = whole.prepare_cached(
                "INSERT INTO payloads (id, input, output, error, metadata, reason, message)
                VALUES (?1, ?2, ?3, NULL, NULL, NULL, NULL)",
            )?;
            for row in batch {
                let path_id = row.call_id % 4 + 1;
                let values = params![
                    row.run_id,
                    row.call_id,
                    row.parent_call_id,
                    path_id,
                    row.t0,
                    row.t1,
                    row.seq,
                    row.elapsed_ns,
                    row.usage,
                ];
                let id = spans.insert(values)?;
                payloads.execute(params![id, row.input, row.output])?;
            }
            let mut runs = whole.prepare_cached(
                "INSERT INTO runs (run_id, call_id, has_parent, seq, parent_run_id, path_id, status,
                    reason, message, writer, t0, t1, elapsed_ns, usage)
                VALUES (?1, 1, 0, 0, NULL, 1, 'success', NULL, NULL, NULL, ?2, ?3, ?4, ?5)",
            )?;
            if let Some(first) = batch.iter().find(|row| row.parent_call_id.is_none()) {
                let Row { run_id, t0, t1, elapsed_ns, usage, .. } = first;
                runs.execute(params![run_id, t0, t1, elapsed_ns, usage])?;
            }
            drop((spans, payloads, runs));
            whole.commit()?;
        }
        Ok(())
    }
}

fn row(span: &Span) -> Row {
    Row {
        run_id: span.run_id.as_u128().to_be_bytes(),
        call_id: span.call_id.as_u64() as i64,
        parent_call_id: span.parent_call_id.map(|id| id.as_u64() as i64),
        t0: span.t0.as_nanos() as i64,
        t1: span.t1.as_nanos() as i64,
        seq: span.seq as i64,
        elapsed_ns: span.elapsed_ns as i64,
        usage: serde_json::to_string(&span.usage).ok(),
        input: span.input.as_json().to_owned(),
        output: span.output.as_json().to_owned(),
    }
}
