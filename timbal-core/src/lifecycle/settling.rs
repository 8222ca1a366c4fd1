//! `Settling`: a call that has ended, and completes when its run is written.

use std::any::Any;
use std::panic::resume_unwind;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use super::{Lifecycle, State};
use crate::commit::{Commit, Commits};
use crate::intake::Intake;
use crate::open_call::OpenCall;
use crate::record::Record;

/// A call that has ended, and completes when its run is written.
pub(super) struct Settling {
    intake: Arc<Intake>,
    commit: Arc<Commit>,
    is_watched: bool,
    /// What the call has ended with, if that is to go on when it completes.
    panic: Option<Mutex<Box<dyn Any + Send>>>,
    pub(super) record: Option<Box<Record>>,
}

impl Settling {
    /// The first call of a run has ended; `None` if nothing is to be waited for.
    #[cold]
    fn begin(call: &OpenCall) -> Option<Box<Self>> {
        let intake = call.run().intake.as_ref()?;
        let commits = intake.commits.as_ref()?;
        if call.run().has_lost() {
            commits.count_uncommitted();
            return None;
        }
        let commit = commits.begin();
        intake.ledger.bell.ask_to_commit(Arc::clone(&commit));
        let intake = Arc::clone(intake);
        Some(Box::new(Self { intake, commit, is_watched: false, panic: None, record: None }))
    }

    /// Whether it is written, or time is up.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut polled = self.commit.poll(cx);
        if polled.is_pending() && !std::mem::replace(&mut self.is_watched, true) {
            self.commits().watch(&self.commit);
            polled = self.commit.poll(cx);
        }
        self.count(ready!(polled));
        Poll::Ready(())
    }

    /// The same on this thread.
    fn wait(&self) {
        self.count(self.commit.wait());
    }

    fn count(&self, is_committed: bool) {
        if !is_committed {
            self.commits().count_uncommitted();
        }
    }

    fn commits(&self) -> &Commits {
        self.intake.commits.as_ref().expect("it was there when this began")
    }

    fn keep_panic(&mut self, panic: Box<dyn Any + Send>) {
        self.panic = Some(Mutex::new(panic));
    }

    fn into_panic(self) -> Option<Box<dyn Any + Send>> {
        self.panic.map(|panic| panic.into_inner().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A shape says [`settle`](Self::settle) after [`end`](Self::end), or
/// [`poll_settled`](Self::poll_settled) until that is ready; where a body that panics is to complete as
/// late, it runs it by [`run_now`](Self::run_now) or [`poll`](Self::poll).
impl Lifecycle {
    /// The same of code that is not `async`; if it panics, that goes on when the call is settled.
    #[inline]
    pub(crate) fn run_now<R>(&mut self, body: impl FnOnce() -> R) -> R {
        self.try_run(body).unwrap_or_else(|panic| {
            self.settle();
            resume_unwind(panic)
        })
    }

    /// The same of a body that is polled.
    #[inline]
    pub(crate) fn poll<T>(
        &mut self,
        cx: &mut Context<'_>,
        body: impl FnOnce(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        self.try_run(|| body(cx)).unwrap_or_else(|panic| self.poll_panicked(panic, cx))
    }

    #[cold]
    fn poll_panicked<T>(&mut self, panic: Box<dyn Any + Send>, cx: &mut Context<'_>) -> Poll<T> {
        match &mut *self.state {
            State::Settling(settling) => {
                settling.keep_panic(panic);
                self.poll_settled(cx).map(|()| unreachable!("the panic goes on"))
            }
            _ => resume_unwind(panic),
        }
    }

    /// Whether the call has ended, and completes when its run is written.
    #[inline]
    pub(crate) fn is_settling(&self) -> bool {
        matches!(*self.state, State::Settling(_))
    }

    /// Waits until the call's run is written, if it is to.
    ///
    /// # Panics
    ///
    /// If the body did.
    #[inline]
    pub(crate) fn poll_settled(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let State::Settling(settling) = &mut *self.state else { return Poll::Ready(()) };
        ready!(settling.poll(cx));
        self.settled();
        Poll::Ready(())
    }

    /// The same on this thread.
    #[inline]
    pub(crate) fn settle(&mut self) {
        if let State::Settling(settling) = &*self.state {
            settling.wait();
            self.settled();
        }
    }

    #[cold]
    fn settled(&mut self) {
        let State::Settling(settling) = &mut *self.state else { return };
        let record = settling.record.take();
        if let State::Settling(settling) = std::mem::replace(&mut *self.state, State::Ended(record))
            && let Some(panic) = settling.into_panic()
        {
            resume_unwind(panic)
        }
    }

    /// The first call of a run that is to be committed has ended.
    #[cold]
    pub(super) fn begin_settling(&mut self, call: &OpenCall) {
        if let Some(mut settling) = Settling::begin(call) {
            if let State::Ended(record) = &mut *self.state {
                settling.record = record.take();
            }
            self.set(State::Settling(settling));
        }
    }
}
