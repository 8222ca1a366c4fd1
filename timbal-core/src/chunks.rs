//! `Chunks`: the items of a call, on their way to who hears them.

use crate::event::{ChunkEvent, StartEvent};
use crate::open_call::OpenCall;
use crate::{Payload, tell};

/// The items of a call, on their way to who hears them.
#[derive(Default)]
pub(crate) struct Chunks {
    /// What all of them say of the call.
    start: Option<StartEvent>,
    /// The one that the call's reader takes when the call has been polled.
    next: Option<Payload>,
}

impl Chunks {
    /// The call gives an item, which only its handle does: it has not ended.
    pub(crate) fn tell(&mut self, call: &OpenCall, chunk: Payload) {
        if tell::is_for_driver(call) {
            self.next = Some(chunk);
        } else {
            tell::item(call, self.event(call, chunk));
        }
    }

    /// What the call's reader, who drives it, is to be told before anything else.
    pub(crate) fn take(&mut self, call: &OpenCall) -> Option<ChunkEvent> {
        let chunk = self.next.take()?;
        Some(self.event(call, chunk))
    }

    fn event(&mut self, call: &OpenCall, chunk: Payload) -> ChunkEvent {
        let start = self.start.get_or_insert_with(|| call.start_event());
        ChunkEvent::new(start.clone(), chunk)
    }
}
