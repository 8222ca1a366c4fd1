//! What is said of an open call by what runs in it, and of what has failed there.

use std::sync::atomic::Ordering;
use std::sync::{MutexGuard, PoisonError};

use super::OpenCall;
use crate::failing::Failing;
use crate::notes::Notes;
use crate::record::{Outcome, Record};
use crate::{CallError, subscriber};

impl OpenCall {
    /// Says something about this call, or the nearest above that is still open. If there is none,
    /// it was said too late, which is counted.
    pub(crate) fn note(&self, mut say: impl FnMut(&mut Notes)) {
        for call in self.line() {
            let ledger = call.run().ledger();
            let said = ledger.note(call.entered(), |r| say(r.notes.get_or_insert_default()));
            if said.is_some() {
                return;
            }
        }
        self.count_late();
    }

    /// This call, or the nearest above it that has not ended.
    pub(crate) fn nearest_open(&self) -> Option<&Self> {
        self.line().find(|call| !call.is_over.load(Ordering::Acquire))
    }

    /// Says something of this call, or the nearest above that is still open, before its Output is
    /// told; `false` if there is none, which is counted.
    pub(crate) fn speak(&self, mut say: impl FnMut(&Self)) -> bool {
        for call in self.line() {
            let speaks = call.lock_speech();
            if !call.is_over.load(Ordering::Acquire) {
                say(call);
                return true;
            }
            drop(speaks);
        }
        self.count_late();
        false
    }

    /// From now on nothing is said of the call but its Output.
    pub(crate) fn be_over(&self) {
        self.is_over.store(true, Ordering::Release);
        drop(self.lock_speech()); // whoever speaks was first
    }

    /// A subscriber may say something of the very call of which it is just told: it does not wait.
    fn lock_speech(&self) -> Option<MutexGuard<'_, ()>> {
        let hears = subscriber::hears();
        (!hears).then(|| self.speech.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Something was said when neither this call nor any above was open.
    #[cold]
    pub(crate) fn count_late(&self) {
        if let Some(intake) = self.run().recorded_by() {
            intake.late.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// This call and those above it.
    fn line(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |call| call.parent.as_deref())
    }

    /// Says what has failed in this call. What comes after its end is of no use.
    #[cold]
    pub(crate) fn note_failing<R>(&self, say: impl FnOnce(&mut Failing) -> R) -> Option<R> {
        let say = |record: &mut Record| say(record.notes.get_or_insert_default().failing());
        self.run().ledger().note(self.entered(), say)
    }

    /// How the call ends that fails with this error.
    #[cold]
    pub(crate) fn outcome_of(&self, error: CallError) -> Outcome {
        self.take_failing().outcome(error, self.path())
    }

    /// How the call ends that has panicked.
    #[cold]
    pub(crate) fn outcome_of_panic(&self, error: CallError) -> Outcome {
        self.take_failing().outcome_of_panic(error, self.path())
    }

    fn take_failing(&self) -> Failing {
        let take = |record: &mut Record| record.notes.as_mut().and_then(|it| it.failing.take());
        let failing = self.run().ledger().note(self.entered(), take);
        *failing.flatten().unwrap_or_default()
    }

    /// The call has failed: the call that made it may fail of it.
    #[cold]
    pub(crate) fn tell_failure(&self, outcome: &Outcome) {
        if let Some(parent) = &self.parent {
            let forgotten = parent.note_failing(|failing| failing.child(outcome.clone()));
            drop(forgotten); // not under a lock
        }
    }
}
