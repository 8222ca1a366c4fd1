//! `Held`: an open call, as its handle holds it.

use std::ops::Deref;
use std::sync::Arc;

use crate::open_call::OpenCall;

/// An open call: its handle's own, until another must know it. Most calls make no calls, and nobody
/// counts the owners of these: that saves them a quarter of what they cost.
pub(crate) enum Held {
    Own(Box<OpenCall>),
    Shared(Arc<OpenCall>),
}

impl Held {
    /// The same call, with one more owner.
    pub(crate) fn share(self) -> Arc<OpenCall> {
        match self {
            Self::Own(call) => Arc::new(call.into_shared()),
            Self::Shared(call) => call,
        }
    }
}

impl Deref for Held {
    type Target = OpenCall;

    fn deref(&self) -> &OpenCall {
        match self {
            Self::Own(call) => call,
            Self::Shared(call) => call,
        }
    }
}
