//! `Chunks`: the items of a call, on their way to who hears them.

use crate::event::{ChunkEvent, StartEvent};
use crate::open_call::OpenCall;
use crate::{Payload, tell};

/// The items of a call, on their way to who hears them.
#[derive(Default)]
pub(crate) struct Chunks {
    /// What all of them say of the call.
    start: Option<StartEvent>,
    /// The one that is given now, until it is told; `None` where nobody hears it.
    next: Option<Payload>,
}

impl Chunks {
    /// The call gives an item that somebody hears.
    #[inline]
    pub(crate) fn begin(&mut self) {
        self.next = Some(Payload::null());
    }

    /// Where its payload is kept, if somebody hears it.
    #[inline]
    pub(crate) fn next(&mut self) -> Option<&mut Payload> {
        self.next.as_mut()
    }

    /// Tells it, if it is not for who drives the call: that takes it.
    #[inline]
    pub(crate) fn tell(&mut self, call: &OpenCall) {
        if !tell::is_for_driver(call) {
            self.tell_all(call);
        }
    }

    fn tell_all(&mut self, call: &OpenCall) {
        if let Some(chunk) = self.take(call) {
            tell::item(call, chunk);
        }
    }

    /// Takes the one that is yet to be told.
    pub(crate) fn take(&mut self, call: &OpenCall) -> Option<ChunkEvent> {
        let chunk = self.next.take()?;
        let start = self.start.get_or_insert_with(|| call.start_event());
        Some(ChunkEvent::new(start.clone(), chunk))
    }
}
