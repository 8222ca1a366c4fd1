//! `Timbal`: the recorder that an application installs.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use crate::capture::Rules;
use crate::clock::Clock;
use crate::ids::IdSource;
use crate::intake::Intake;
use crate::ledger::Ledger;
use crate::memory::MemoryStore;
use crate::query::{Answer, Queries};
use crate::store::{Store, StoreError};
use crate::subscriber::{Subscriber, Subscription};
use crate::{RunId, Trace, writer};

/// How long a recorder may take to write everything out when it is asked to, or goes.
const FLUSH_WITHIN: Duration = Duration::from_secs(5);

/// A recorder: what calls are told to, and where their traces are kept. Its clones are the same
/// recorder.
///
/// Libraries annotate, binaries install. It has two threads of its own: one writes, one reads. When
/// the last clone is dropped, they write out what is there, and end.
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

struct Inner {
    intake: Arc<Intake>,
    stores: Arc<Stores>,
    queries: Queries,
}

/// Where spans are kept. The first is read from.
pub(crate) struct Stores {
    pub(crate) all: Vec<Box<dyn Store>>,
    last_error: Mutex<Option<String>>,
}

/// What becomes a recorder.
#[derive(Default)]
pub struct Builder {
    stores: Vec<Box<dyn Store>>,
    subscribers: Vec<Subscription>,
    clock: Option<Arc<dyn Clock>>,
    ids: Option<Box<dyn IdSource>>,
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
        let mut installed = INSTALLED.write().unwrap_or_else(PoisonError::into_inner);
        if installed.is_some() {
            return Err(InstallError);
        }
        *installed = Some(self.intake());
        IS_INSTALLED.store(true, Ordering::Relaxed);
        Ok(Guard { timbal: self.clone() })
    }

    /// The trace of a run: its calls that had ended when this was called; `None` if there are none.
    ///
    /// # Errors
    ///
    /// If the store failed, or did not write what was there in time.
    pub fn trace(&self, run_id: RunId) -> Answer<Option<Trace>> {
        self.ask(move |store| store.trace(run_id))
    }

    /// Writes out the calls that had ended when this was called.
    ///
    /// # Errors
    ///
    /// If they are not written within five seconds.
    pub fn flush(&self) -> Answer<()> {
        self.ask(|_| Ok(()))
    }

    /// What became of the calls so far.
    pub fn health(&self) -> Health {
        let intake = &self.0.intake;
        let (queued, counts, refused) = intake.ledger.count();
        Health {
            queued,
            written: counts.written,
            cut: intake.rules.cut.load(Ordering::Relaxed),
            late: intake.late.load(Ordering::Relaxed),
            lost: refused + counts.failed,
            subscribers_cut_off: intake.subscribers.iter().filter(|s| s.is_cut_off()).count(),
            last_error: self.0.stores.last_error(),
        }
    }

    /// Asks the store something, when what has ended until now is written.
    fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&dyn Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Answer<T> {
        let (intake, stores) = (Arc::clone(&self.0.intake), Arc::clone(&self.0.stores));
        let asked = intake.ledger.ask();
        self.0.queries.ask(move || {
            if !intake.ledger.wait_for(asked, Instant::now() + FLUSH_WITHIN) {
                return Err(StoreError::TimedOut);
            }
            question(&*stores.all[0])
        })
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
    }
}

impl Stores {
    pub(crate) fn note_error(&self, error: StoreError) {
        let error = Some(error.to_string());
        *self.last_error.lock().unwrap_or_else(PoisonError::into_inner) = error;
    }

    fn last_error(&self) -> Option<String> {
        self.last_error.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Builder {
    /// Keeps spans in this store. Of several stores each gets every span; the first is read from.
    ///
    /// Without one, the last runs are kept in a [`MemoryStore`].
    #[must_use]
    pub fn store(mut self, store: impl Store) -> Self {
        self.stores.push(Box::new(store));
        self
    }

    /// Tells every event to this subscriber.
    #[must_use]
    pub fn subscriber(mut self, subscriber: impl Subscriber) -> Self {
        self.subscribers.push(Subscription::new(subscriber));
        self
    }

    /// Reads the time from this clock.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Some(Arc::new(clock));
        self
    }

    /// Takes the random bits of ids from this source.
    #[must_use]
    pub fn ids(mut self, source: impl IdSource) -> Self {
        self.ids = Some(Box::new(source));
        self
    }

    /// The recorder. It records the calls that are given to it by
    /// [`recorded_by`](crate::Call::recorded_by), and all calls once it is installed.
    pub fn build(self) -> Timbal {
        let Self { mut stores, subscribers, clock, ids } = self;
        if stores.is_empty() {
            stores.push(Box::new(MemoryStore::new()));
        }
        let stores = Arc::new(Stores { all: stores, last_error: Mutex::new(None) });
        let intake = Arc::new(Intake {
            rules: Rules::default(),
            clock,
            ids,
            subscribers,
            ledger: Ledger::default(),
            late: Default::default(),
        });
        start_writer(&intake, &stores);
        Timbal(Arc::new(Inner { intake, stores, queries: Queries::start() }))
    }
}

/// Where no thread is to be had, spans are lost, and counted.
fn start_writer(intake: &Arc<Intake>, stores: &Arc<Stores>) {
    let thread = std::thread::Builder::new().name("timbal-writer".to_owned());
    let (own_intake, own_stores) = (Arc::clone(intake), Arc::clone(stores));
    if let Err(error) = thread.spawn(move || writer::run(&own_intake, &own_stores)) {
        stores.note_error(StoreError::failed(error));
        intake.ledger.close();
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").finish_non_exhaustive()
    }
}

/// Keeps a recorder installed. Dropping it takes the recorder out, and writes out what it holds
/// within five seconds; what is not written then is counted by [`Timbal::health`].
#[must_use = "the recorder is taken out when this is dropped"]
#[derive(Debug)]
pub struct Guard {
    timbal: Timbal,
}

impl Guard {
    /// The recorder that is installed.
    pub fn timbal(&self) -> &Timbal {
        &self.timbal
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        IS_INSTALLED.store(false, Ordering::Relaxed);
        let intake = INSTALLED.write().unwrap_or_else(PoisonError::into_inner).take();
        drop(intake);
        let ledger = &self.timbal.0.intake.ledger;
        let _counted_in_health = ledger.wait_for(ledger.ask(), Instant::now() + FLUSH_WITHIN);
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

/// What became of the calls of a recorder.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Health {
    /// Ended, and not written yet.
    pub queued: u64,
    /// Written to the stores.
    pub written: u64,
    /// Values that were too large or too deep to be captured whole.
    pub cut: u64,
    /// Said about calls when neither they nor any call above was open.
    pub late: u64,
    /// Ended, and never written: the queue was full or closed, or the store failed to the end.
    pub lost: u64,
    /// Subscribers that panicked and hear nothing more.
    pub subscribers_cut_off: usize,
    /// What a store said when it last failed.
    pub last_error: Option<String>,
}

/// The recorder of the process.
static INSTALLED: RwLock<Option<Arc<Intake>>> = RwLock::new(None);

/// Whether there is one: what a call asks that nobody hears.
static IS_INSTALLED: AtomicBool = AtomicBool::new(false);

#[inline]
pub(crate) fn is_installed() -> bool {
    IS_INSTALLED.load(Ordering::Relaxed)
}

pub(crate) fn installed() -> Option<Arc<Intake>> {
    INSTALLED.read().unwrap_or_else(PoisonError::into_inner).clone()
}
