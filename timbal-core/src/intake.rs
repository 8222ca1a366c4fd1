//! `Intake`: the side of a recorder that faces the calls.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, OnceLock, Weak};

use crate::Event;
use crate::capture::Rules;
use crate::clock::Clock;
use crate::commit::Commits;
use crate::ids::IdSource;
use crate::ledger::Ledger;
use crate::recorder::Inner;
use crate::sampling::Sampling;
use crate::subscriber::{self, Subscription};

/// What calls know of their recorder. It does not know the stores: these keep the calls, which know
/// the intake, and what knows itself is never freed.
pub(crate) struct Intake {
    pub(crate) rules: Rules,
    pub(crate) clock: Option<Arc<dyn Clock>>,
    pub(crate) ids: Option<Box<dyn IdSource>>,
    /// Which runs are recorded; `None` for all.
    pub(crate) sampling: Option<Box<dyn Sampling>>,
    pub(crate) subscribers: Vec<Subscription>,
    pub(crate) ledger: Ledger,
    /// If calls are to wait until they are written.
    pub(crate) commits: Option<Arc<Commits>>,
    /// What was said of calls when neither they nor any call above was open.
    pub(crate) late: AtomicU64,
    /// Whose intake it is. It does not keep it: the recorder's threads end when nobody wants it.
    pub(crate) recorder: OnceLock<Weak<Inner>>,
}

impl Intake {
    pub(crate) fn has_subscribers(&self) -> bool {
        self.subscribers.iter().any(|subscription| !subscription.is_cut_off())
    }

    pub(crate) fn tell_subscribers(&self, event: &Event) {
        subscriber::tell_all(&self.subscribers, event);
    }
}
