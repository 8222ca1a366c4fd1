//! The one place where a call's beginning, chunks and end are told: to its readers, to the
//! subscribers, and to the recorder.

use std::task::{Context, Poll};

use crate::Payload;
use crate::event::{ChunkEvent, Event};
use crate::open_call::OpenCall;
use crate::reader::{Reader, Readers};
use crate::record::Record;

/// Whether every reader has a place for one more event; if not, the task is woken when one may be.
pub(crate) fn poll_place(readers: Option<&Readers>, cx: &mut Context<'_>) -> Poll<()> {
    let Some(readers) = readers else { return Poll::Ready(()) };
    for inbox in readers.inboxes() {
        std::task::ready!(inbox.poll_place(cx));
    }
    Poll::Ready(())
}

/// The call starts.
pub(crate) fn start(call: &OpenCall) {
    if is_heard(call) {
        say(call, Event::Start(call.start_event()));
    }
}

/// The call says something on its way; it is captured only if somebody hears it.
pub(crate) fn chunk(call: &OpenCall, capture: impl FnOnce() -> Payload) {
    call.count_chunk();
    if is_heard(call) {
        say(call, Event::Chunk(ChunkEvent::new(call.start_event(), capture())));
    }
}

/// The same from code that cannot wait: without a place it is left out, which is counted.
pub(crate) fn try_chunk(call: &OpenCall, capture: impl FnOnce() -> Payload) -> bool {
    let mut inboxes = call.readers.iter().flat_map(|readers| readers.inboxes());
    let has_place = inboxes.all(|inbox| inbox.has_place());
    if has_place {
        chunk(call, capture);
    } else {
        call.note(|notes| notes.count("chunks_left_out"));
    }
    has_place
}

/// Whether anybody wants to be told how the call ends, but for the writer.
pub(crate) fn wants_end(call: &OpenCall) -> bool {
    call.readers.is_some() || is_heard(call)
}

/// The call has ended.
pub(crate) fn end(call: &OpenCall, record: &Record) {
    if is_heard(call) {
        say(call, Event::Output(record.output_event()));
    }
    for reader in call.readers.iter().flat_map(|readers| readers.iter()) {
        if let Reader::Spans(spans) = reader {
            spans.push(record.clone());
        }
    }
    if let Some(Reader::Events(inbox)) = call.own_reader() {
        inbox.close(); // what calls that outlive this one say is not for its reader
    }
}

/// Whether anybody wants the call's events.
pub(crate) fn is_heard(call: &OpenCall) -> bool {
    let is_read = |readers: &Readers| readers.inboxes().next().is_some();
    call.readers.as_deref().is_some_and(is_read)
        || call.run().intake.as_ref().is_some_and(|intake| intake.has_subscribers())
}

fn say(call: &OpenCall, event: Event) {
    if let Some(intake) = &call.run().intake {
        intake.tell_subscribers(&event);
    }
    let mut inboxes = call.readers.iter().flat_map(|readers| readers.inboxes()).peekable();
    let mut event = Some(event);
    while let Some(inbox) = inboxes.next() {
        let last = inboxes.peek().is_none();
        let copy = if last { event.take() } else { event.clone() };
        copy.into_iter().for_each(|event| inbox.push(event));
    }
}
