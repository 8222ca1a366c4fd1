//! `Held`: an open call, as its handle holds it.

use std::cell::Cell;
use std::ops::Deref;
use std::sync::Arc;

use crate::open_call::OpenCall;

/// An open call: its handle's own, until another must know it. Most calls make no calls, and nobody
/// counts the owners of these: that saves them a quarter of what they cost.
pub(crate) enum Held {
    Own(Frame),
    Shared(Arc<OpenCall>),
}

/// Where a call stands that is its handle's own. A thread uses it again for its next call.
pub(crate) type Frame = Box<Option<OpenCall>>;

thread_local! {
    /// The frame of the call of this thread that ended last.
    static SPARE: Cell<Option<Frame>> = const { Cell::new(None) };
}

impl Held {
    /// A call that starts now: `start` writes it over what stood in its frame.
    #[inline]
    pub(crate) fn new(start: impl FnOnce(&mut Option<OpenCall>)) -> Self {
        // A thread that ends has nothing to spare.
        let mut frame = SPARE.try_with(Cell::take).ok().flatten().unwrap_or_default();
        start(&mut frame);
        Self::Own(frame)
    }

    /// The same call, with one more owner.
    pub(crate) fn share(self) -> Arc<OpenCall> {
        match self {
            Self::Own(mut frame) => {
                let call = frame.take().expect("it has not ended");
                keep(frame);
                Arc::new(call.into_shared())
            }
            Self::Shared(call) => call,
        }
    }

    /// The call has ended: nobody asks its handle for it any more.
    #[inline]
    pub(crate) fn retire(self) {
        if let Self::Own(mut frame) = self {
            if let Some(call) = frame.as_mut() {
                call.let_go();
            }
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
            Self::Own(frame) => frame.as_ref().as_ref().expect("it has not ended"),
            Self::Shared(call) => call,
        }
    }
}
