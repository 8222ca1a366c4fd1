//! `Spool`: a file for what the server does not take now.

use std::error::Error;
use std::fs::OpenOptions;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, OptionalExtension};

use crate::row::Row;

/// Batches in a SQLite file, in the order in which they came. It is one process's.
pub(crate) struct Spool(Mutex<State>);

struct State {
    connection: Connection,
    /// How many spans there are.
    spans: u64,
}

/// What a file could not do.
pub(crate) type Failure = Box<dyn Error + Send + Sync>;

/// Says in the file's header whose it is: "timp".
const APPLICATION_ID: i64 = 0x7469_6d70;
const VERSION: i64 = 1;

const TABLE: &str = "
    CREATE TABLE IF NOT EXISTS batches (
        id INTEGER PRIMARY KEY AUTOINCREMENT, spans INTEGER NOT NULL, rows TEXT NOT NULL)";

impl Spool {
    /// Opens a file, and makes it if there is none. Another process that has it open is an error.
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        drop(options.open(path)?);

        let connection = Connection::open(std::path::absolute(path)?)?;
        let number = |sql| connection.query_one(sql, [], |row| row.get::<_, i64>(0));
        let is_ours = match number("PRAGMA application_id")? {
            APPLICATION_ID => number("PRAGMA user_version")? == VERSION,
            _ => number("SELECT count(*) FROM sqlite_schema")? == 0,
        };
        if !is_ours {
            return Err("the file is not a spool of this version".into());
        }
        // Its lock stays until the process is gone, however it goes.
        connection.pragma_update(None, "locking_mode", "exclusive")?;
        connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
        connection.pragma_update(None, "synchronous", "full")?;
        connection.pragma_update(None, "application_id", APPLICATION_ID)?;
        connection.pragma_update(None, "user_version", VERSION)?;
        connection.execute(TABLE, [])?;
        let spans = connection
            .query_one("SELECT total(spans) FROM batches", [], |row| row.get::<_, f64>(0))?;
        Ok(Self(Mutex::new(State { connection, spans: spans as u64 })))
    }

    /// How many spans there are.
    pub(crate) fn spans(&self) -> u64 {
        self.lock().spans
    }

    /// Puts these rows behind the others; they are on the disk then.
    pub(crate) fn push(&self, rows: &[Row]) -> Result<(), Failure> {
        push(&mut self.lock(), rows)
    }

    /// The same, if there are others: what comes later must not overtake them.
    pub(crate) fn push_behind(&self, rows: &[Row]) -> Result<bool, Failure> {
        let mut state = self.lock();
        if state.spans == 0 {
            return Ok(false);
        }
        push(&mut state, rows).map(|()| true)
    }

    /// The batch that came first.
    pub(crate) fn first(&self) -> Result<Option<(i64, Vec<Row>)>, Failure> {
        let sql = "SELECT id, rows FROM batches ORDER BY id LIMIT 1";
        let first = self
            .lock()
            .connection
            .prepare_cached(sql)?
            .query_one([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)));
        let Some((id, rows)) = first.optional()? else { return Ok(None) };
        Ok(Some((id, serde_json::from_str(&rows)?)))
    }

    /// Removes a batch of so many spans: it is where it should be.
    pub(crate) fn remove(&self, id: i64, spans: usize) -> Result<(), Failure> {
        let mut state = self.lock();
        let sql = "DELETE FROM batches WHERE id = ?1";
        state.connection.prepare_cached(sql)?.execute([id])?;
        state.spans = state.spans.saturating_sub(spans as u64);
        Ok(())
    }

    /// Where a thread panicked, its transaction was rolled back.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn push(state: &mut State, rows: &[Row]) -> Result<(), Failure> {
    let json = serde_json::to_string(rows)?;
    let sql = "INSERT INTO batches (spans, rows) VALUES (?1, ?2)";
    state.connection.prepare_cached(sql)?.execute((rows.len() as i64, json))?;
    state.spans += rows.len() as u64;
    Ok(())
}
