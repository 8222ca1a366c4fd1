//! `Place`: a directory of the target directory, which goes with what it is for.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A new directory, on the disk that the program is built on. It is removed when this is dropped.
pub(crate) struct Place(PathBuf);

impl Place {
    pub(crate) fn new(name: &str) -> io::Result<Self> {
        let program = std::env::current_exe()?;
        let built = program.parent().unwrap_or(Path::new("."));
        let path = built.join("bench-files").join(format!("{name}-{}", std::process::id()));
        fs::create_dir_all(&path)?;
        Ok(Self(path))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _it_is_only_space = fs::remove_dir_all(&self.0);
    }
}
