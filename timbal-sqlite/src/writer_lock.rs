//! `WriterLock`: the lock that says that a writer lives.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::path::{Path, PathBuf};

/// Held for the life of a writer that has put running calls: a lock on a file of its own, beside the
/// database. The operating system gives it back when the process is gone, however it went.
pub(crate) struct WriterLock {
    id: i64,
    path: PathBuf,
    _locked: File,
}

impl WriterLock {
    /// Takes a new lock, and removes the files of locks that nobody holds.
    pub(crate) fn take(database: &Path) -> io::Result<Self> {
        remove_free(database);
        loop {
            let id = RandomState::new().hash_one(std::process::id()) as i64; // of random keys
            let path = path_of(database, id);
            let locked = match options().create_new(true).open(&path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                opened => opened?,
            };
            locked.lock()?;
            // Between the two steps another process may have found the lock free, and removed it.
            if path.exists() {
                return Ok(Self { id, path, _locked: locked });
            }
        }
    }

    /// What names the lock in running spans.
    pub(crate) fn id(&self) -> i64 {
        self.id
    }
}

impl Drop for WriterLock {
    fn drop(&mut self) {
        // The next writer removes it otherwise.
        let _removed = fs::remove_file(&self.path);
    }
}

/// Knows which writers live, each looked up once.
pub(crate) struct Writers<'a> {
    database: &'a Path,
    known: HashMap<i64, bool>,
}

impl<'a> Writers<'a> {
    pub(crate) fn of(database: &'a Path) -> Self {
        Self { database, known: HashMap::new() }
    }

    pub(crate) fn is_alive(&mut self, id: i64) -> bool {
        let database = self.database;
        // Shared, so that two who look at once do not take each other for the writer.
        let is_held = || match File::open(path_of(database, id)) {
            Ok(file) => matches!(file.try_lock_shared(), Err(fs::TryLockError::WouldBlock)),
            // What cannot be opened is there: somebody else's, who may well live.
            Err(error) => error.kind() != io::ErrorKind::NotFound,
        };
        *self.known.entry(id).or_insert_with(is_held)
    }
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// What the names of all lock files begin with.
fn prefix(database: &Path) -> OsString {
    let mut name = database.file_name().unwrap_or_default().to_owned();
    name.push("-writer-");
    name
}

fn path_of(database: &Path, id: i64) -> PathBuf {
    let mut name = prefix(database);
    name.push(format!("{id:016x}"));
    database.with_file_name(name)
}

/// Removes the files of writers that are gone; what cannot be removed stays.
fn remove_free(database: &Path) {
    let (prefix, directory) = (prefix(database), database.parent());
    let Some(Ok(entries)) = directory.map(fs::read_dir) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        if !name.as_encoded_bytes().starts_with(prefix.as_encoded_bytes()) {
            continue;
        }
        if let Ok(file) = options().open(entry.path())
            && file.try_lock().is_ok()
        {
            let _removed = fs::remove_file(entry.path());
        }
    }
}
