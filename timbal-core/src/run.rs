//! `Run`: what all calls of one run have in common.

use std::mem::MaybeUninit;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::capture::Rules;
use crate::clock::{RunClock, Timestamp};
use crate::ids::{self, CallId, IdSource, RunId};
use crate::intake::Intake;
use crate::ledger::Ledger;
use crate::path::Above;
use crate::{Definition, sampling};

/// One run: what its calls have in common. It lives as long as one of them is open or its span is
/// kept, and it holds none of them.
#[repr(C)] // in this order
pub(crate) struct Run {
    pub(crate) id: RunId,
    /// What is above the run's first call here.
    pub(crate) above: Option<Arc<Above>>,
    /// The recorder whose rules count; `None` if only readers hear of the run's calls.
    pub(crate) intake: Option<Arc<Intake>>,
    /// Whether the run's calls are told to it, and whether subscribers of it hear of them.
    pub(crate) is_recorded: bool,
    pub(crate) is_followed: bool,
    clock: RunClock,
    /// When its first call starts: what made the run needs no clock of its own.
    pub(crate) t0: Timestamp,
    /// What the ids of its calls come from, where the recorder has no source of its own.
    seed: u64,
    has_lost: AtomicBool,
    /// Each call that starts writes the number below, and reads much of what is above: on one cache line,
    /// threads would take it away from each other for both.
    _apart: MaybeUninit<[u64; 8]>,
    starts: AtomicU64,
}

/// Where a run comes from.
#[derive(Clone, Copy)]
pub(crate) enum Origin {
    /// It begins here.
    New { parent: Option<RunId> },
    /// Another process began it: this call of it made ours.
    Remote { run: RunId, call: CallId, parent: Option<RunId> },
}

impl Origin {
    /// A run of its own.
    pub(crate) const OWN: Self = Self::New { parent: None };

    /// The same, and it goes on from this run.
    pub(crate) fn with_parent(mut self, run_id: RunId) -> Self {
        let (Self::New { parent } | Self::Remote { parent, .. }) = &mut self;
        *parent = Some(run_id);
        self
    }

    /// The same, but another process began it: this call of it made ours.
    pub(crate) fn with_caller(self, run: RunId, call: CallId) -> Self {
        let (Self::New { parent } | Self::Remote { parent, .. }) = self;
        Self::Remote { run, call, parent }
    }
}

impl Run {
    /// A run that starts with a call of the runnable that `root` names.
    #[inline]
    pub(crate) fn start(
        origin: Origin,
        intake: Option<Arc<Intake>>,
        root: impl FnOnce() -> Definition,
    ) -> Self {
        let (clock, t0) = RunClock::start(intake.as_ref().and_then(|intake| intake.clock.as_ref()));
        let ids = intake.as_deref().and_then(|intake| intake.ids.as_deref());
        let (id, seed, parent_run_id, caller) = match origin {
            Origin::New { parent } => {
                let bits = || ids.map_or_else(ids::random_bits, IdSource::bits);
                let (high, low) = (bits(), bits());
                (RunId::new(t0, high, low), low, parent, None)
            }
            // The calls of the run in other processes are not to have the same ids.
            Origin::Remote { run, call, parent } => (run, ids::random_bits(), parent, Some(call)),
        };
        let is_first = parent_run_id.is_none() && caller.is_none();
        let above = (!is_first).then(|| Arc::new(Above { parent_run_id, caller, path: None }));
        let is_recorded = intake.as_ref().is_some_and(|intake| match &intake.sampling {
            Some(rule) => sampling::asks(&**rule, &root(), id),
            None => true,
        });
        let followed_by = intake.as_ref().filter(|_| is_recorded);
        let is_followed = followed_by.is_some_and(|intake| intake.has_subscribers());
        let (starts, has_lost) = (AtomicU64::new(1), AtomicBool::new(false));
        let _apart = MaybeUninit::uninit();
        #[rustfmt::skip]
        let run = Self {
            id, above, intake, is_recorded, is_followed, clock, t0, seed, has_lost, _apart, starts,
        };
        run
    }

    /// The recorder that the run's calls are told to, if they are recorded.
    #[inline]
    pub(crate) fn recorded_by(&self) -> Option<&Intake> {
        self.intake.as_deref().filter(|_| self.is_recorded)
    }

    /// Where the run's calls stand while they are open.
    #[inline]
    pub(crate) fn ledger(&self) -> &Ledger {
        match self.recorded_by() {
            Some(intake) => &intake.ledger,
            None => Ledger::of_unrecorded(),
        }
    }

    /// Whether a call of it, as far as it can be known, may be recorded in another process.
    pub(crate) fn is_sampled(&self) -> bool {
        self.is_recorded || self.intake.is_none()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The number of the next call that starts. The first, which is the run's own, is 0.
    #[inline]
    pub(crate) fn next_number(&self) -> u64 {
        self.starts.fetch_add(1, Ordering::Relaxed)
    }

    /// An id for the call of this number, which starts.
    #[inline]
    pub(crate) fn new_call_id(&self, number: u64) -> CallId {
        match self.intake.as_deref().and_then(|intake| intake.ids.as_deref()) {
            Some(source) => CallId::new(source.bits()),
            None => CallId::numbered(self.seed, number),
        }
    }

    /// Whether its first call completes when the run is written.
    #[inline]
    pub(crate) fn is_to_be_committed(&self) -> bool {
        self.recorded_by().is_some_and(|intake| intake.commits.is_some())
    }

    /// A call has ended and there was no place for it.
    #[cold]
    pub(crate) fn note_loss(&self) {
        self.has_lost.store(true, Ordering::Relaxed);
    }

    pub(crate) fn has_lost(&self) -> bool {
        self.has_lost.load(Ordering::Relaxed)
    }

    #[inline]
    pub(crate) fn rules(&self) -> &Rules {
        match &self.intake {
            Some(intake) => &intake.rules,
            None => Rules::default_rules(),
        }
    }
}
