//! `Timbal`: the recorder that an application installs.

use std::fmt;
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use crate::builder::Builder;
use crate::exporter::Exporter;
use crate::faults::Faults;
use crate::health::Health;
use crate::installed::{Guard, InstallError};
use crate::intake::Intake;
use crate::outlets::Outlets;
use crate::query::{Answer, Queries};
use crate::store::{Store, StoreError};
use crate::{RunId, Trace, installed, subscriber, writer};

/// A recorder: what calls are told to, and where their traces are kept. Its clones are the same
/// recorder.
///
/// Libraries annotate, binaries install. It has two threads of its own: one writes, one reads. With
/// several stores or exporters, each of these has one more, and so has the clock of what is to be
/// [`Committed`](crate::Durability::Committed), and one waits for what is flushed, from the first
/// time on. When the last clone is dropped, they write out what is there, and end.
///
/// What goes wrong is said once on standard error, in one line, when it begins; [`health`](Self::health)
/// has the last of it.
///
/// # Examples
///
/// ```
/// let timbal = timbal_core::Timbal::builder().build();
/// let _guard = timbal.install()?;
/// // ... what runs from here on is recorded ...
/// # Ok::<(), timbal_core::InstallError>(())
/// ```
#[derive(Clone)]
pub struct Timbal(Arc<Inner>);

pub(crate) struct Inner {
    intake: Arc<Intake>,
    outlets: Arc<Outlets>,
    faults: Arc<Faults>,
    queries: Queries,
    /// Those who flush wait apart from those who read: a store may take its time to answer these.
    flushes: OnceLock<Queries>,
    flush_within: Duration,
    has_panic_hook: bool,
}

/// What a recorder is made of.
pub(crate) struct Parts {
    pub(crate) intake: Intake,
    /// At least one.
    pub(crate) stores: Vec<Box<dyn Store>>,
    pub(crate) exporters: Vec<Box<dyn Exporter>>,
    pub(crate) flush_within: Duration,
    pub(crate) has_panic_hook: bool,
}

impl Timbal {
    /// What becomes a recorder.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Makes this the recorder of the process, until the guard is dropped.
    ///
    /// # Errors
    ///
    /// If another is installed: that one stays.
    pub fn install(&self) -> Result<Guard, InstallError> {
        installed::install(self)
    }

    /// The trace of a run: its calls that had ended when this was called, and those that were found
    /// to be open for a second, as `running`; `None` if there are none.
    ///
    /// # Errors
    ///
    /// If the store failed, or did not write what was there in time.
    pub fn trace(&self, run_id: RunId) -> Answer<Option<Trace>> {
        self.read(move |store| store.trace(run_id))
    }

    /// Writes out the calls that had ended when this was called, to all stores and exporters, and waits
    /// for subscribers that are behind; not if a subscriber asks, as it would wait for itself.
    ///
    /// # Errors
    ///
    /// If the calls are not written, or subscribers are still behind, within five seconds, or what
    /// [`flush_within`](crate::Builder::flush_within) says.
    pub fn flush(&self) -> Answer<()> {
        let (intake, deadline) = (self.intake(), self.deadline());
        let is_subscriber = subscriber::hears();
        let flushes = self.0.flushes.get_or_init(|| Queries::start("timbal-flush"));
        self.ask(flushes, Outlets::wait_for_all, move |_| {
            let have_heard = is_subscriber || subscriber::flush_all(&intake.subscribers, deadline);
            if have_heard { Ok(()) } else { Err(StoreError::TimedOut) }
        })
    }

    /// What became of the calls so far.
    pub fn health(&self) -> Health {
        let Inner { intake, outlets, faults, .. } = &*self.0;
        let (stored, exported) = outlets.count(); // before the others: these only grow
        let (kept, refused) = intake.ledger.count();
        Health {
            queued: kept - stored.written - stored.lost,
            written: stored.written,
            cut: intake.rules.cut.load(Ordering::Relaxed),
            late: intake.late.load(Ordering::Relaxed),
            lost: refused + stored.lost,
            uncommitted: intake.commits.as_ref().map_or(0, |commits| commits.uncommitted()),
            exported: exported.written,
            not_exported: exported.lost,
            subscribers_cut_off: intake.subscribers.iter().filter(|s| s.has_failed()).count(),
            left_out: intake.subscribers.iter().map(|s| s.left_out()).sum(),
            last_error: faults.last(),
        }
    }

    /// Asks the first store something, when what has ended until now is written there.
    pub(crate) fn read<T: Send + 'static>(
        &self,
        question: impl FnOnce(&dyn Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Answer<T> {
        self.ask(&self.0.queries, Outlets::wait_for_first, question)
    }

    fn ask<T: Send + 'static>(
        &self,
        queries: &Queries,
        is_written: impl FnOnce(&Outlets, Instant) -> bool + Send + 'static,
        question: impl FnOnce(&dyn Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Answer<T> {
        let (intake, outlets) = (self.intake(), Arc::clone(&self.0.outlets));
        let (asked, deadline) = (intake.ledger.bell.ask(), self.deadline());
        outlets.hurry();
        queries.ask(move || {
            let is_taken = intake.ledger.bell.wait_for(asked, deadline);
            if !is_taken || !is_written(&outlets, deadline) {
                return Err(StoreError::TimedOut);
            }
            question(outlets.first())
        })
    }

    /// Writes everything out, and says on standard error if it could not.
    pub(crate) fn write_out(&self) {
        let Inner { intake, outlets, faults, flush_within, .. } = &*self.0;
        let deadline = self.deadline();
        let asked = intake.ledger.bell.ask();
        outlets.hurry();
        if !intake.ledger.bell.wait_for(asked, deadline) || !outlets.wait_for_all(deadline) {
            let within = *flush_within;
            match self.health().queued {
                0 => faults.note(format_args!("not all is exported after {within:?}"), true),
                n => faults.note(format_args!("{n} calls are not written after {within:?}"), true),
            }
        }
        if !subscriber::flush_all(&intake.subscribers, deadline) {
            let text = format_args!("subscribers have not heard all after {flush_within:?}");
            faults.note(text, true);
        }
    }

    /// When what is asked now must be written.
    fn deadline(&self) -> Instant {
        Instant::now() + self.0.flush_within
    }

    /// The recorder of these parts, with its threads.
    pub(crate) fn start(parts: Parts) -> Self {
        let Parts { intake, stores, exporters, flush_within, has_panic_hook } = parts;
        let (intake, faults) = (Arc::new(intake), Arc::<Faults>::default());
        let outlets = Arc::new(Outlets::start(stores, exporters, &faults));
        start_writer(&intake, &outlets, &faults);
        start_watch(&intake, &faults);
        let inner = Arc::new(Inner {
            intake,
            outlets,
            faults,
            queries: Queries::start("timbal-reader"),
            flushes: OnceLock::new(),
            flush_within,
            has_panic_hook,
        });
        let _it_is_new = inner.intake.recorder.set(Arc::downgrade(&inner));
        Self(inner)
    }

    /// The recorder that has this intake, if anybody but its calls has it still.
    pub(crate) fn of(intake: &Intake) -> Option<Self> {
        intake.recorder.get()?.upgrade().map(Self)
    }

    pub(crate) fn has_panic_hook(&self) -> bool {
        self.0.has_panic_hook
    }

    pub(crate) fn intake(&self) -> Arc<Intake> {
        Arc::clone(&self.0.intake)
    }
}

impl fmt::Debug for Timbal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timbal").field("health", &self.health()).finish_non_exhaustive()
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.intake.ledger.close();
        self.outlets.close();
        self.intake.commits.iter().for_each(|commits| commits.close());
    }
}

/// Where no thread is to be had, spans are lost, and counted.
fn start_writer(intake: &Arc<Intake>, outlets: &Arc<Outlets>, faults: &Faults) {
    let thread = std::thread::Builder::new().name("timbal-writer".to_owned());
    let (own_intake, own_outlets) = (Arc::clone(intake), Arc::clone(outlets));
    if let Err(error) = thread.spawn(move || {
        installed::keep_out();
        writer::run(&own_intake, &own_outlets);
    }) {
        faults.note(StoreError::failed(error), true);
        intake.ledger.close();
        intake.ledger.bell.end();
        outlets.end();
    }
}

/// Where no thread is to be had, nobody waits until a run is written, which is counted.
fn start_watch(intake: &Arc<Intake>, faults: &Faults) {
    let Some(commits) = &intake.commits else { return };
    let thread = std::thread::Builder::new().name("timbal-watch".to_owned());
    let own = Arc::clone(commits);
    if let Err(error) = thread.spawn(move || own.run()) {
        faults.note(StoreError::failed(error), true);
        commits.close();
    }
}
