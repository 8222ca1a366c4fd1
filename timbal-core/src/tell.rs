//! The one place where a call's beginning, chunks and end are told: to its readers, to the
//! subscribers, and to the recorder.

use std::task::{Context, Poll};

use crate::Payload;
use crate::event::{ChunkEvent, Event};
use crate::intake::Intake;
use crate::open_call::OpenCall;
use crate::reader::{Inbox, Letter, Reader, Readers, take_events};
use crate::record::Record;

/// Whether every reader has a place for one more event; if not, the task is woken when one may be.
#[inline]
pub(crate) fn poll_place(readers: Option<&Readers>, cx: &mut Context<'_>) -> Poll<()> {
    readers.map_or(Poll::Ready(()), |readers| readers.poll_place(cx))
}

/// The call starts.
#[inline]
pub(crate) fn start(call: &OpenCall) {
    if is_heard(call) {
        say_start(call);
    }
}

#[inline(never)] // most calls have no listener
fn say_start(call: &OpenCall) {
    say(call, Letter::Start(call.start_event()));
}

/// The call gives an item that somebody hears.
pub(crate) fn item(call: &OpenCall, chunk: ChunkEvent) {
    say(call, Letter::Chunk(chunk));
}

/// Whether an item is for the call's own reader alone, and that has taken all that was said before.
/// It drives the call, so it can be given the item without its inbox.
pub(crate) fn is_for_driver(call: &OpenCall) -> bool {
    let has_heard_all = only_inbox(call).is_some_and(|inbox| inbox.seems_empty());
    has_heard_all && call.own_reader().is_some()
}

/// What runs in the call, or what it has left behind, says something. It is captured only if
/// somebody hears it.
pub(crate) fn chunk(call: &OpenCall, capture: impl FnOnce() -> Payload) -> bool {
    // Before it is said, as capturing runs code of the user's. Who hears a call hears those below it.
    let mut chunk = call.nearest_open().filter(|open| is_heard(open)).map(|_| capture());
    call.speak(|open| {
        open.count_chunk();
        if let Some(chunk) = chunk.take().filter(|_| is_heard(open)) {
            say(open, Letter::Chunk(ChunkEvent::new(open.start_event(), chunk)));
        }
    })
}

/// The same from code that cannot wait: without a place it is left out, which is counted.
pub(crate) fn try_chunk(call: &OpenCall, capture: impl FnOnce() -> Payload) -> bool {
    if call.nearest_open().is_none_or(has_place) {
        return chunk(call, capture);
    }
    leave_out(call);
    false
}

/// Whether every reader has a place for one more event.
pub(crate) fn has_place(call: &OpenCall) -> bool {
    call.readers.iter().flat_map(|readers| readers.inboxes()).all(|inbox| inbox.has_place())
}

/// A chunk finds no place, which is counted.
pub(crate) fn leave_out(call: &OpenCall) {
    call.note(|notes| notes.count("chunks_left_out"));
}

/// Whether anybody wants to be told how the call ends, but for the writer.
#[inline]
pub(crate) fn wants_end(call: &OpenCall) -> bool {
    call.may_be_heard && (call.readers.is_some() || has_listener(call))
}

/// The call has ended.
pub(crate) fn end(call: &OpenCall, record: &Record) {
    if is_heard(call) {
        let output = Event::Output(record.output_event());
        match (say_to_others(call, &output), call.own_reader()) {
            // What calls that outlive this one say is not for its reader.
            (Some(own), Some(Reader::Events(_))) => own.push_last(Letter::new(output)),
            (Some(nearest), _) => nearest.push(Letter::new(output)),
            (None, _) => {}
        }
    }
    for reader in call.readers.iter().flat_map(|readers| readers.iter()) {
        if let Reader::Spans(spans) = reader {
            spans.push(record.clone());
        }
    }
}

/// Whether anybody wants the call's events.
#[inline]
pub(crate) fn is_heard(call: &OpenCall) -> bool {
    call.may_be_heard && has_listener(call)
}

#[inline]
fn has_listener(call: &OpenCall) -> bool {
    take_events(call.readers.as_deref()) || has_subscribers(call)
}

#[inline]
fn has_subscribers(call: &OpenCall) -> bool {
    call.run().recorded_by().is_some_and(Intake::has_subscribers)
}

fn say(call: &OpenCall, letter: Letter) {
    match only_inbox(call) {
        Some(inbox) => inbox.push(letter),
        None => say_to_all(call, letter.open()),
    }
}

/// The inbox that takes the call's events, if nobody else hears them: then none of them has to be an
/// [`Event`] before it is read.
#[inline]
fn only_inbox(call: &OpenCall) -> Option<&Inbox> {
    call.readers.as_deref()?.only_inbox().filter(|_| !has_subscribers(call))
}

#[cold]
fn say_to_all(call: &OpenCall, event: Event) {
    if let Some(nearest) = say_to_others(call, &event) {
        nearest.push(Letter::new(event));
    }
}

/// Tells everybody but the nearest inbox, which is left to take the event itself.
#[inline]
fn say_to_others<'a>(call: &'a OpenCall, event: &Event) -> Option<&'a Inbox> {
    if let Some(intake) = call.run().recorded_by() {
        intake.tell_subscribers(event);
    }
    let mut inboxes = call.readers.iter().flat_map(|readers| readers.inboxes());
    let nearest = inboxes.next()?;
    inboxes.for_each(|inbox| inbox.push(Letter::new(event.clone())));
    Some(nearest)
}
