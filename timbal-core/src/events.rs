//! `Events`: a call as a stream of its events.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::Stream;

use crate::made::Settings;
use crate::reader::{DEFAULT_PLACES, Inbox, Reader};
use crate::{CallError, ChunkEvent, Event, OutputEvent};

/// A call as a stream of its events, and of those of all calls below it, in the order in which
/// they happened; the last is the call's own Output.
///
/// Reading drives the call. While 1,024 events wait to be read, calls wait with what they have to
/// say; an Output never waits.
///
/// # Cancellation
///
/// Dropping it drops the call: it ends `cancelled`, if it had started.
#[must_use = "a call does nothing unless its events are read"]
pub struct Events<C> {
    /// `None` when it has ended.
    call: Option<Pin<Box<C>>>,
    inbox: Arc<Inbox>,
    output: Option<OutputEvent>,
}

/// A handle that can be run to its end for nothing but its events.
#[doc(hidden)]
pub trait Driven {
    /// Goes on with the call. What it gives is dropped, and a panic too: both are in its Output.
    fn poll_driven(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()>;

    /// The item that it has just given, if only who drives it is to be told: that comes then before
    /// all that is in the inbox.
    fn take_chunk(self: Pin<&mut Self>) -> Option<ChunkEvent> {
        None
    }

    /// What the call ended with, if it has.
    fn output_event(self: Pin<&Self>) -> Option<OutputEvent>;
}

/// Goes on with a call that gives items.
///
/// An item is a chunk, so if this is pending after one, the reader has something to read.
pub(crate) fn drive<T>(poll_next: impl FnOnce() -> Poll<Option<T>>) -> Poll<()> {
    // A panic is in the Output event, which is all that this reader asked for.
    match catch_unwind(AssertUnwindSafe(poll_next)) {
        Ok(Poll::Ready(Some(_)) | Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(None)) => Poll::Ready(()),
        Err(panic) => {
            let _recorded = CallError::from_caught(panic);
            Poll::Ready(())
        }
    }
}

impl<C: Driven> Events<C> {
    /// Asks for the events of a call.
    pub(crate) fn inbox(settings: &mut Settings) -> Arc<Inbox> {
        let inbox = Arc::new(Inbox::new(DEFAULT_PLACES));
        settings.reader = Some(Reader::Events(Arc::clone(&inbox)));
        settings.is_kept = true;
        inbox
    }

    pub(crate) fn new(call: C, inbox: Arc<Inbox>) -> Self {
        Self { call: Some(Box::pin(call)), inbox, output: None }
    }

    /// The next event; `None` after the call's own Output.
    pub async fn next(&mut self) -> Option<Event> {
        std::future::poll_fn(|cx| self.poll_event(cx)).await
    }

    /// Takes all other events, and gives the Output of the call itself, also if it was read before.
    pub async fn collect(mut self) -> OutputEvent {
        while self.next().await.is_some() {}
        self.output.take().expect("the call has ended")
    }

    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        if let Some(letter) = self.inbox.next() {
            return Poll::Ready(Some(letter.open()));
        }
        if let Some(call) = &mut self.call {
            let polled = call.as_mut().poll_driven(cx);
            if let Some(chunk) = call.as_mut().take_chunk() {
                return Poll::Ready(Some(Event::Chunk(chunk)));
            }
            if polled.is_ready() {
                self.end();
            }
        }
        match self.inbox.poll_next(cx) {
            Poll::Ready(letter) => Poll::Ready(Some(letter.open())),
            Poll::Pending if self.call.is_none() => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    }

    /// The call has said its Output: what calls that outlive it say is not for this reader.
    fn end(&mut self) {
        self.inbox.close();
        self.output = self.call.take().and_then(|call| call.as_ref().output_event());
    }
}

impl<C> Unpin for Events<C> {}

impl<C: Driven> Stream for Events<C> {
    type Item = Event;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        self.poll_event(cx)
    }
}

impl<C> Drop for Events<C> {
    fn drop(&mut self) {
        self.inbox.abandon();
    }
}

impl<C> std::fmt::Debug for Events<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Events").field("ended", &self.call.is_none()).finish_non_exhaustive()
    }
}
