//! The recorder of the process, and the guard that keeps it installed.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, Weak};

use crate::Timbal;
use crate::intake::Intake;
use crate::panic_hook::Located;

/// The recorder of the process.
static INSTALLED: RwLock<Option<Arc<Intake>>> = RwLock::new(None);

/// Whether recorders record at all: `--cfg timbal_off` compiles it out.
pub(crate) const IS_RECORDING: bool = !cfg!(timbal_off);

/// Which recorder that is, by the number of recorders that were installed until it was; zero if there
/// is none. It is what a call asks that nobody hears.
static NUMBER: AtomicU64 = AtomicU64::new(0);

thread_local! {
    /// The recorder that this thread found last, and its number. Weak, as a thread that makes no
    /// calls any more would keep it for ever.
    static FOUND: RefCell<(u64, Weak<Intake>)> = const { RefCell::new((0, Weak::new())) };

    /// Whether this thread is a recorder's own.
    static IS_OWN: Cell<bool> = const { Cell::new(false) };
}

/// This thread is a recorder's own. What stores and exporters call on it is not recorded by the recorder
/// of the process: to write that would be to record more, without end.
pub(crate) fn keep_out() {
    IS_OWN.set(true);
}

#[inline]
pub(crate) fn is_installed() -> bool {
    IS_RECORDING && NUMBER.load(Ordering::Relaxed) != 0
}

/// The recorder of the process, as one more owner of it.
pub(crate) fn installed() -> Option<Arc<Intake>> {
    let number = NUMBER.load(Ordering::Relaxed);
    if number == 0 {
        return None;
    }
    let known = |found: &RefCell<(u64, Weak<Intake>)>| {
        let found = found.borrow();
        if found.0 == number { found.1.upgrade() } else { None }
    };
    FOUND.try_with(known).ok().flatten().or_else(find)
}

#[cold]
fn find() -> Option<Arc<Intake>> {
    if IS_OWN.try_with(Cell::get).unwrap_or(false) {
        return None;
    }
    let installed = INSTALLED.read().unwrap_or_else(PoisonError::into_inner);
    // It changes under this lock only, so it is the number of this recorder.
    let number = NUMBER.load(Ordering::Relaxed);
    if let Some(intake) = &*installed {
        let keep = |found: &RefCell<_>| found.replace((number, Arc::downgrade(intake)));
        let _a_thread_that_ends_keeps_none = FOUND.try_with(keep);
    }
    installed.clone()
}

/// Makes this the recorder of the process, if there is no other.
pub(crate) fn install(timbal: &Timbal) -> Result<Guard, InstallError> {
    let mut installed = INSTALLED.write().unwrap_or_else(PoisonError::into_inner);
    if installed.is_some() {
        return Err(InstallError);
    }
    static INSTALLS: AtomicU64 = AtomicU64::new(0);
    *installed = Some(timbal.intake());
    NUMBER.store(INSTALLS.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
    let located = timbal.has_panic_hook().then(Located::new);
    Ok(Guard { timbal: timbal.clone(), _located: located })
}

/// Keeps a recorder installed. Dropping it takes the recorder out, and writes out what it holds
/// within five seconds, or what [`flush_within`](crate::Builder::flush_within) says. If it could not,
/// it says so on standard error, and [`Timbal::health`] counts what is not written.
#[must_use = "the recorder is taken out when this is dropped"]
#[derive(Debug)]
pub struct Guard {
    timbal: Timbal,
    _located: Option<Located>,
}

impl Guard {
    /// The recorder that is installed.
    pub fn timbal(&self) -> &Timbal {
        &self.timbal
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let mut installed = INSTALLED.write().unwrap_or_else(PoisonError::into_inner);
        NUMBER.store(0, Ordering::Relaxed);
        let intake = installed.take();
        drop(installed);
        drop(intake);
        self.timbal.write_out();
    }
}

/// A recorder was to be installed where one is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct InstallError;

impl fmt::Display for InstallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a recorder is installed already: drop its guard first")
    }
}

impl std::error::Error for InstallError {}
