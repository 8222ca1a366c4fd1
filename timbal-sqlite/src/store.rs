//! `SqliteStore`: a store in a file.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, Transaction};
use timbal_core::{
    Batch, Filter, Page, Prune, Pruned, RunId, Stats, StatsQuery, Store, StoreError, Trace,
};

use crate::write::Writer;
use crate::writer_lock::Writers;
use crate::{OpenError, SqliteOptions, prune, read, runs, stats};

/// Keeps traces in a SQLite file. Its clones are the same store.
///
/// What was put is on the disk: each batch is one transaction, synced when [`put`](Store::put)
/// returns. Other processes may read the file at any time, and write to it too. While it is open
/// there are files beside it, whose names begin with its own: SQLite's write-ahead log, and a lock
/// file for each writer that has put running calls.
///
/// The file is made for its owner only (mode 0600).
///
/// # Examples
///
/// ```
/// use timbal_core::{RunId, Store};
/// use timbal_sqlite::SqliteStore;
///
/// let dir = tempfile::tempdir()?;
/// let store = SqliteStore::open(dir.path().join("traces.db"))?;
/// assert_eq!(store.trace(RunId::from_u128(7).unwrap())?, None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct SqliteStore(Arc<Inner>);

struct Inner {
    path: PathBuf,
    writer: Mutex<Writer>,
    /// Reads what has been committed, also while the writer writes.
    reader: Mutex<Connection>,
}

impl SqliteStore {
    /// Opens a file, and makes it if there is none. An empty file is one without traces.
    ///
    /// # Errors
    ///
    /// If the file is something else, of a later version, locked, or not to be written to. It is
    /// then as it was.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        SqliteOptions::new().open(path)
    }

    pub(crate) fn new(path: PathBuf, write: Connection, read: Connection) -> Self {
        let writer = Mutex::new(Writer::new(path.clone(), write));
        Self(Arc::new(Inner { path, writer, reader: Mutex::new(read) }))
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    fn write<T>(
        &self,
        write: impl FnOnce(&mut Writer) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        write(&mut lock(&self.0.writer))
    }

    /// Reads what stood in the file at one moment.
    fn read<T>(
        &self,
        read: impl FnOnce(&Transaction<'_>, Writers<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut reader = lock(&self.0.reader);
        let moment = reader.transaction().map_err(StoreError::failed)?;
        read(&moment, Writers::of(&self.0.path))
    }
}

/// Where a thread panicked, its transaction was rolled back.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Store for SqliteStore {
    fn put(&self, batch: &Batch) -> Result<(), StoreError> {
        self.write(|writer| writer.put(batch))
    }

    fn trace(&self, run_id: RunId) -> Result<Option<Trace>, StoreError> {
        self.read(|moment, writers| read::trace(moment, writers, run_id))
    }

    fn runs(&self, filter: &Filter) -> Result<Page, StoreError> {
        self.read(|moment, writers| runs::page(moment, writers, filter))
    }

    fn stats(&self, query: &StatsQuery) -> Result<Stats, StoreError> {
        self.read(|moment, _| stats::stats(moment, query))
    }

    fn paths(&self) -> Result<Vec<String>, StoreError> {
        self.read(|moment, _| stats::paths(moment))
    }

    /// Counts the bytes of the file's pages that are in use, and gives the others back to the disk.
    /// The runs go in several transactions, so that others can write between them.
    fn prune(&self, prune: &Prune) -> Result<Pruned, StoreError> {
        prune::all(|| self.write(|writer| prune::step(writer.connection(), prune)))
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").field("path", &self.0.path).finish_non_exhaustive()
    }
}
