//! `Run`: what all calls of one run have in common.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::capture::Rules;
use crate::clock::{RunClock, Timestamp};
use crate::ids::{self, CallId, RunId};
use crate::intake::Intake;
use crate::ledger::Ledger;
use crate::path::Above;

/// One run: what its calls have in common. It lives as long as one of them is open or its span is
/// kept, and it holds none of them.
pub(crate) struct Run {
    pub(crate) id: RunId,
    /// What is above the run's first call here.
    pub(crate) above: Option<Arc<Above>>,
    /// The recorder that the run's calls are told to; `None` if only readers hear of them.
    pub(crate) intake: Option<Arc<Intake>>,
    /// Where the run's calls stand if there is no recorder.
    own_ledger: Option<Ledger>,
    clock: RunClock,
    starts: AtomicU64,
}

/// Where a run comes from.
#[derive(Clone, Copy)]
pub(crate) enum Origin {
    /// It begins here.
    New { parent: Option<RunId> },
    /// Another process began it: this call of it made ours.
    Remote { run: RunId, call: CallId },
}

impl Run {
    pub(crate) fn start(origin: Origin, intake: Option<Arc<Intake>>) -> Self {
        let clock = RunClock::start(intake.as_ref().and_then(|intake| intake.clock.as_ref()));
        let (id, parent_run_id, caller) = match origin {
            Origin::New { parent } => {
                let [high, low] = [(); 2].map(|()| bits(intake.as_deref()));
                (RunId::new(clock.now(), high, low), parent, None)
            }
            Origin::Remote { run, call } => (run, None, Some(call)),
        };
        let is_first = parent_run_id.is_none() && caller.is_none();
        let above = (!is_first).then(|| Arc::new(Above { parent_run_id, caller, path: None }));
        let own_ledger = intake.is_none().then(Ledger::of_open_calls);
        Self { id, above, intake, own_ledger, clock, starts: AtomicU64::new(0) }
    }

    /// Where the run's calls stand while they are open.
    pub(crate) fn ledger(&self) -> &Ledger {
        let own = || self.own_ledger.as_ref().expect("a run without a recorder has its own");
        self.intake.as_ref().map_or_else(own, |intake| &intake.ledger)
    }

    #[inline]
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The id and the number of the next call that starts.
    pub(crate) fn next_call(&self) -> (CallId, u64) {
        let number = self.starts.fetch_add(1, Ordering::Relaxed);
        (CallId::new(bits(self.intake.as_deref())), number)
    }

    pub(crate) fn rules(&self) -> &Rules {
        match &self.intake {
            Some(intake) => &intake.rules,
            None => Rules::default_rules(),
        }
    }
}

fn bits(intake: Option<&Intake>) -> u64 {
    match intake.and_then(|intake| intake.ids.as_ref()) {
        Some(source) => source.bits(),
        None => ids::random_bits(),
    }
}
