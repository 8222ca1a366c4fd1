//! `Held`: an open call, as its handle holds it.

use std::cell::Cell;
use std::ops::Deref;
use std::sync::Arc;

use crate::definition::Defined;
use crate::open_call::OpenCall;

/// An open call: its handle's own, until another must know it. Most calls make no calls, and nobody
/// counts the owners of these: that saves them a quarter of what they cost.
pub(crate) enum Held {
    Own(Frame),
    Shared(Arc<OpenCall>),
}

/// Where a call stands that is its handle's own. A thread uses it again for its next call.
pub(crate) type Frame = Box<OpenCall>;

thread_local! {
    /// The frame of the call of this thread that ended last.
    static SPARE: Cell<Option<Frame>> = const { Cell::new(None) };
}

/// A frame for a call that starts now; what stood in it has ended.
#[inline]
pub(crate) fn frame(definition: &'static Defined) -> Frame {
    // A thread that ends has nothing to spare.
    let spare = SPARE.try_with(Cell::take).ok().flatten();
    spare.unwrap_or_else(|| Box::new(OpenCall::blank(definition)))
}

impl Held {
    /// The same call, with one more owner.
    pub(crate) fn share(self) -> Arc<OpenCall> {
        match self {
            Self::Own(mut frame) => {
                let call = frame.take_shared();
                keep(frame);
                call
            }
            Self::Shared(call) => call,
        }
    }

    /// The call has ended: nobody asks its handle for it any more.
    #[inline]
    pub(crate) fn retire(self) {
        if let Self::Own(mut frame) = self {
            frame.let_go();
            keep(frame);
        }
    }
}

#[inline]
fn keep(frame: Frame) {
    let _there_is_none = SPARE.try_with(|spare| spare.set(Some(frame)));
}

impl Deref for Held {
    type Target = OpenCall;

    #[inline]
    fn deref(&self) -> &OpenCall {
        match self {
            Self::Own(frame) => frame,
            Self::Shared(call) => call,
        }
    }
}
