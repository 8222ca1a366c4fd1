//! `SqliteOptions`: how a file is opened, and `OpenError`: why it could not be.

use std::error::Error;
use std::fmt;
use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::SqliteStore;
use crate::schema::{self, Found};

/// How a file is opened.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use timbal_sqlite::SqliteOptions;
///
/// let dir = tempfile::tempdir()?;
/// let path = dir.path().join("traces.db");
/// let store = SqliteOptions::new().lock_timeout(Duration::from_secs(1)).open(path)?;
/// # drop(store);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct SqliteOptions {
    lock_timeout: Duration,
}

impl SqliteOptions {
    /// Locks of other processes are waited for, for five seconds.
    pub fn new() -> Self {
        Self { lock_timeout: Duration::from_secs(5) }
    }

    /// Waits so long for a lock that another process holds, before what needs it has failed. A
    /// recorder tries again then.
    #[must_use]
    pub fn lock_timeout(self, lock_timeout: Duration) -> Self {
        Self { lock_timeout }
    }

    /// Opens a file, and makes it if there is none.
    ///
    /// # Errors
    ///
    /// As of [`SqliteStore::open`].
    pub fn open(&self, path: impl AsRef<Path>) -> Result<SqliteStore, OpenError> {
        let given = path.as_ref();
        // Also of a file named `:memory:`, and when the process goes to another directory.
        let path = create(given).map_err(|source| OpenError::from_io(given, source))?;
        let failed = |source| OpenError::from_sqlite(given, source);
        let write = self.connect(&path).map_err(failed)?;
        let write = self.prepare(given, write)?;
        let read = self.connect(&path).map_err(failed)?;
        read.pragma_update(None, "query_only", true).map_err(failed)?;
        Ok(SqliteStore::new(path, write, read))
    }

    fn connect(&self, path: &Path) -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(self.lock_timeout)?;
        connection.set_prepared_statement_cache_capacity(64);
        connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
        Ok(connection)
    }

    /// Looks at the file first, so that one that is not ours stays as it is.
    fn prepare(&self, path: &Path, mut connection: Connection) -> Result<Connection, OpenError> {
        let failed = |source| OpenError::from_sqlite(path, source);
        match schema::find(&connection).map_err(failed)? {
            Found::Foreign => return Err(OpenError::Foreign { path: path.to_owned() }),
            Found::Version(found) if found > schema::VERSION => {
                let (path, known) = (path.to_owned(), schema::VERSION);
                return Err(OpenError::NewerSchema { path, found, known });
            }
            // Before there is a page: later it says nothing, but waits for a lock.
            Found::Empty => {
                connection.pragma_update(None, "auto_vacuum", "incremental").map_err(failed)?
            }
            Found::Version(_) => {}
        }
        self.set_up(&connection).map_err(failed)?;
        // What is of this version needs no lock: others may be writing.
        if schema::find(&connection).map_err(failed)? != Found::Version(schema::VERSION) {
            schema::migrate(&mut connection).map_err(failed)?;
        }
        match schema::find(&connection).map_err(failed)? {
            Found::Version(version) if version == schema::VERSION => Ok(connection),
            // Another process was quicker, and is not of this version.
            Found::Version(found) => {
                let (path, known) = (path.to_owned(), schema::VERSION);
                Err(OpenError::NewerSchema { path, found, known })
            }
            Found::Foreign | Found::Empty => Err(OpenError::Foreign { path: path.to_owned() }),
        }
    }

    fn set_up(&self, connection: &Connection) -> rusqlite::Result<()> {
        self.use_wal(connection)?;
        // Each commit is on the disk when it returns, also on macOS.
        connection.pragma_update(None, "synchronous", "full")?;
        connection.pragma_update(None, "fullfsync", true)?;
        connection.pragma_update(None, "wal_autocheckpoint", WAL_PAGES)?;
        connection.pragma_update_and_check(None, "journal_size_limit", WAL_BYTES, |_| Ok(()))
    }

    /// Turns the write-ahead log on. SQLite does not wait for locks here, as it could wait for ever.
    fn use_wal(&self, connection: &Connection) -> rusqlite::Result<()> {
        let deadline = Instant::now() + self.lock_timeout;
        loop {
            match connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(())) {
                Err(error) if is_locked(&error) && Instant::now() < deadline => {
                    std::thread::sleep(Duration::from_millis(5));
                }
                result => return result,
            }
        }
    }
}

/// The memory that each of the two connections may take for pages.
const CACHE_KIB: i64 = 16 << 10;
/// The log is brought into the file when it has so many pages, and never keeps more bytes.
const WAL_PAGES: i64 = 4_000;
const WAL_BYTES: i64 = 64 << 20;

impl Default for SqliteOptions {
    fn default() -> Self {
        Self::new()
    }
}

/// Makes the file if there is none, for its owner only, and gives its whole path. SQLite gives the
/// files beside it the same mode.
fn create(path: &Path) -> io::Result<PathBuf> {
    let path = std::path::absolute(path)?;
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    drop(options.open(&path)?);
    fs::canonicalize(path)
}

fn is_locked(error: &rusqlite::Error) -> bool {
    let locked = [ErrorCode::DatabaseBusy, ErrorCode::DatabaseLocked];
    error.sqlite_error_code().is_some_and(|code| locked.contains(&code))
}

/// Why a file could not be opened. It is then as it was.
#[derive(Debug)]
#[non_exhaustive]
pub enum OpenError {
    /// The file is no SQLite database.
    #[non_exhaustive]
    NotADatabase {
        /// The file.
        path: PathBuf,
    },
    /// The file is the database of another application.
    #[non_exhaustive]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The file was written by a later version of this crate.
    #[non_exhaustive]
    NewerSchema {
        /// The file.
        path: PathBuf,
        /// The version of its form.
        found: i64,
        /// The latest version that is known here.
        known: i64,
    },
    /// The file, or its directory, cannot be written to.
    #[non_exhaustive]
    ReadOnly {
        /// The file.
        path: PathBuf,
        /// What was said.
        source: Box<dyn Error + Send + Sync>,
    },
    /// Another process holds a lock on the file, and held it for too long.
    #[non_exhaustive]
    Locked {
        /// The file.
        path: PathBuf,
    },
    /// The file could not be opened for another reason.
    #[non_exhaustive]
    Failed {
        /// The file.
        path: PathBuf,
        /// What was said.
        source: Box<dyn Error + Send + Sync>,
    },
}

impl OpenError {
    fn from_io(path: &Path, source: io::Error) -> Self {
        let (path, kind) = (path.to_owned(), source.kind());
        let source = source.into();
        match kind {
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                Self::ReadOnly { path, source }
            }
            _ => Self::Failed { path, source },
        }
    }

    fn from_sqlite(path: &Path, error: rusqlite::Error) -> Self {
        let (path, code) = (path.to_owned(), error.sqlite_error_code());
        match code {
            Some(ErrorCode::NotADatabase) => Self::NotADatabase { path },
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Locked { path },
            // The file itself could be opened, so it is the log beside it that cannot be made.
            Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen) => {
                Self::ReadOnly { path, source: error.into() }
            }
            _ => Self::Failed { path, source: error.into() },
        }
    }

    /// The file that could not be opened.
    pub fn path(&self) -> &Path {
        match self {
            Self::NotADatabase { path }
            | Self::Foreign { path }
            | Self::NewerSchema { path, .. }
            | Self::ReadOnly { path, .. }
            | Self::Locked { path }
            | Self::Failed { path, .. } => path,
        }
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path().display();
        match self {
            Self::NotADatabase { .. } => write!(f, "`{path}` is not a SQLite database"),
            Self::Foreign { .. } => write!(f, "`{path}` is the database of another application"),
            Self::NewerSchema { found, known, .. } => write!(
                f,
                "`{path}` has schema version {found}, and this version of timbal knows only {known}"
            ),
            Self::ReadOnly { source, .. } => write!(f, "`{path}` cannot be written to: {source}"),
            Self::Locked { .. } => write!(f, "`{path}` is locked by another process"),
            Self::Failed { source, .. } => write!(f, "`{path}` cannot be opened: {source}"),
        }
    }
}

impl Error for OpenError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::ReadOnly { source, .. } | Self::Failed { source, .. } => Some(&**source),
            _ => None,
        }
    }
}
