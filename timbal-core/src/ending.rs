//! `Ending`: what a call ends with, as its expansion tells it.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::CallError;
use crate::capture::{self, Captured};
use crate::item::is;
use crate::open_call::OpenCall;
use crate::probe::CaptureOutput;
use crate::record::Outcome;

/// What a call ends with. The expansion of its runnable looks at the output and says it here.
pub struct Ending<'a> {
    call: &'a OpenCall,
    ended: &'a mut Ended,
}

/// How a call ended, and what it gave. It stays where it was made: moved just after, it would have to
/// be stored first.
pub(crate) struct Ended {
    pub(crate) outcome: Outcome,
    pub(crate) output: Option<Captured>,
}

impl From<Outcome> for Ended {
    fn from(outcome: Outcome) -> Self {
        Self { outcome, output: None }
    }
}

impl Ending<'_> {
    /// What `probe` finds. It runs code of the user's types, which may panic: that ends here.
    #[inline(always)] // then what it finds is where it stays
    pub(crate) fn of(call: &OpenCall, probe: impl FnOnce(&mut Ending<'_>)) -> Ended {
        let mut ended = Ended::from(Outcome::Success);
        let mut ending = Ending { call, ended: &mut ended };
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| probe(&mut ending))) {
            ended.output = Some(caught(call, panic));
        }
        ended
    }

    /// The call failed, if this is an error.
    #[inline]
    pub fn error(&mut self, error: Option<CallError>) {
        if let Some(error) = error {
            self.ended.outcome = self.call.outcome_of(error);
        }
    }

    /// The value that the call gave, if it gave one.
    #[inline]
    pub fn output<T: CaptureOutput + ?Sized>(&mut self, value: Option<&T>) {
        if let Some(value) = value.filter(|_| self.call.is_seen) {
            self.ended.output = Some(capture::value(self.call.run().rules(), value));
        }
    }

    /// The value that a generator returned: if it is `()`, its output is what its items came to.
    pub fn returned<T: CaptureOutput>(&mut self, value: Option<&T>) {
        if !is::<T, ()>() {
            self.output(value);
        }
    }

    /// What the value says that the call used.
    pub fn usage<'v, T, I, K>(&mut self, value: Option<&'v T>, usage: impl FnOnce(&'v T) -> I)
    where
        T: ?Sized,
        I: IntoIterator<Item = (K, u64)>,
        K: AsRef<str>,
    {
        for (key, amount) in value.map(usage).into_iter().flatten() {
            self.call.note(|notes| notes.add_usage(key.as_ref(), amount));
        }
    }
}

#[cold]
fn caught(call: &OpenCall, panic: Box<dyn Any + Send>) -> Captured {
    let message = format!("panicked: {}", CallError::from_caught(panic).message());
    capture::failure(call.run().rules(), &message)
}
