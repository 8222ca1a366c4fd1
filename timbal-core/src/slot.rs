//! `Slot`: where a thread keeps the call whose body it runs.

use std::cell::Cell;
use std::mem::ManuallyDrop;
use std::sync::Arc;

use crate::held::{Frame, Held};
use crate::open_call::OpenCall;

/// Holds the call whose body a thread runs, if it runs one. It is moved in and out, never counted.
///
/// It stands in one of two words: one of two words' size would be written as two and read as one just
/// after, for which the processor has to wait.
pub(crate) struct Slot {
    own: Cell<ManuallyDrop<Option<Frame>>>,
    shared: Cell<ManuallyDrop<Option<Arc<OpenCall>>>>,
    /// One more owner of the shared one: a call that it made has left it here when it ended, for the
    /// next that it makes, as to count owners down and up again is a tenth of what such a call costs.
    /// It is gone when the call is left.
    spare: Cell<ManuallyDrop<Option<Arc<OpenCall>>>>,
}

/// What stands in a slot. Nothing drops it but who turns it back into a call: so to move it in and
/// out is to move two words, and to ask nothing.
pub(crate) struct Words {
    own: ManuallyDrop<Option<Frame>>,
    shared: ManuallyDrop<Option<Arc<OpenCall>>>,
}

/// No call.
pub(crate) const NONE: Words =
    Words { own: ManuallyDrop::new(None), shared: ManuallyDrop::new(None) };

impl From<Option<Held>> for Words {
    #[inline]
    fn from(call: Option<Held>) -> Self {
        let (own, shared) = match call {
            Some(Held::Own(frame)) => (Some(frame), None),
            Some(Held::Shared(call)) => (None, Some(call)),
            None => (None, None),
        };
        Self { own: ManuallyDrop::new(own), shared: ManuallyDrop::new(shared) }
    }
}

impl From<Words> for Option<Held> {
    #[inline]
    fn from(Words { own, shared }: Words) -> Self {
        match ManuallyDrop::into_inner(own) {
            Some(frame) => Some(Held::Own(frame)),
            None => ManuallyDrop::into_inner(shared).map(Held::Shared),
        }
    }
}

impl Words {
    #[inline]
    pub(crate) fn call(&self) -> Option<&OpenCall> {
        match &*self.own {
            Some(frame) => Some(frame),
            None => self.shared.as_deref(),
        }
    }
}

impl Slot {
    /// One in which no call stands.
    pub(crate) const fn empty() -> Self {
        let (own, shared, spare) = (NONE.own, NONE.shared, NONE.shared);
        Self { own: Cell::new(own), shared: Cell::new(shared), spare: Cell::new(spare) }
    }

    #[inline]
    pub(crate) fn replace(&self, Words { own, shared }: Words) -> Words {
        Words { own: self.own.replace(own), shared: self.shared.replace(shared) }
    }

    /// The call as one more owner of it.
    #[inline]
    pub(crate) fn share(&self) -> Option<Arc<OpenCall>> {
        let (shared, spare) = (self.shared.take(), self.spare.take());
        match (&*shared, &*spare) {
            (Some(call), Some(owner)) if Arc::ptr_eq(call, owner) => {
                self.shared.set(shared);
                ManuallyDrop::into_inner(spare)
            }
            _ => {
                self.spare.set(spare);
                let call: Option<Held> = Words { own: self.own.take(), shared }.into();
                Some(self.share_anew(call?))
            }
        }
    }

    #[inline(never)] // of calls that are made one after another there is one to spare
    fn share_anew(&self, call: Held) -> Arc<OpenCall> {
        let call = call.share();
        self.shared.set(ManuallyDrop::new(Some(Arc::clone(&call))));
        self.clear_spare(); // it may be of a call below which this one runs
        call
    }

    /// Takes back what `share` has given.
    #[inline]
    pub(crate) fn take_back(&self, owner: Arc<OpenCall>) {
        let (shared, spare) = (self.shared.take(), self.spare.take());
        let is_current = shared.as_ref().is_some_and(|call| Arc::ptr_eq(call, &owner));
        self.shared.set(shared);
        if is_current && spare.is_none() {
            self.spare.set(ManuallyDrop::new(Some(owner)));
        } else {
            self.spare.set(spare);
            disown(owner);
        }
    }

    /// What was kept for the next call that one makes is not needed.
    pub(crate) fn clear_spare(&self) {
        drop(ManuallyDrop::into_inner(self.spare.take()));
    }
}

#[inline(never)] // mostly there is no other
fn disown(call: Arc<OpenCall>) {
    drop(call);
}
