//! `StreamCall`: a call of a function that gives a stream of items.

use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use pin_project_lite::pin_project;

use crate::definition::Defined;
use crate::ending::Ending;
use crate::events::{Driven, Events, drive};
use crate::item::ItemProbe;
use crate::lazy::{Lazy, lazy};
use crate::lifecycle::Lifecycle;
use crate::settings::{Gathered, settings};
use crate::{ChunkEvent, OutputEvent, Trace};

pin_project! {
    /// A call of a runnable: the stream that the function would have given, or what it yields.
    ///
    /// It does nothing until it is polled. Each item is a chunk; it waits while a reader is too far
    /// behind to take it. The items are the call's output in the end, and those that are an `Err` pass
    /// like all others: the first is the call's error.
    ///
    /// # Cancellation
    ///
    /// Dropped before its first poll, it has said nothing. Dropped before its end, its body is dropped
    /// first, and with it the unfinished calls in it; then it says its Output, `cancelled`, with what
    /// its items came to.
    #[must_use = "calls do nothing unless polled, as all streams"]
    pub struct StreamCall<S: Stream> {
        #[pin]
        body: Option<S>, // taken by `drop` alone, which must not leave it to the fields' own order
        lifecycle: Lifecycle,
        probe: ItemProbe<S::Item>,
        end: fn(&S, &mut Ending<'_>),
    }

    impl<S: Stream> PinnedDrop for StreamCall<S> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            this.lifecycle.cancel(|| this.body.set(None));
        }
    }
}

/// A call of a runnable that is a function of a stream, which this makes.
pub fn stream<T, S: Stream<Item = T>, M: FnOnce() -> S>(
    definition: &'static Defined,
    maker: M,
    probe: ItemProbe<T>,
) -> StreamCall<Lazy<M, S>> {
    stream_of(Lifecycle::new(definition), lazy(maker), probe)
}

/// The call that has this life.
pub(crate) fn stream_of<S: Stream>(
    lifecycle: Lifecycle,
    body: S,
    probe: ItemProbe<S::Item>,
) -> StreamCall<S> {
    stream_with(lifecycle, body, probe, |_, _| ())
}

/// The same of a body that has more to say in the end than what its items come to.
pub(crate) fn stream_with<S: Stream>(
    lifecycle: Lifecycle,
    body: S,
    probe: ItemProbe<S::Item>,
    end: fn(&S, &mut Ending<'_>),
) -> StreamCall<S> {
    StreamCall { body: Some(body), lifecycle, probe, end }
}

impl<S: Stream> Stream for StreamCall<S> {
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let this = self.project();
        if this.lifecycle.is_settling() {
            return this.lifecycle.poll_settled(cx).map(|()| None);
        }
        ready!(this.lifecycle.start(cx));
        // The place is there before the item is: so an item need not be kept until there is one.
        ready!(this.lifecycle.poll_place(cx));
        let mut body = this.body.as_pin_mut().expect("only `drop` takes the body");
        let item = ready!(this.lifecycle.poll(cx, |cx| body.as_mut().poll_next(cx)));
        match &item {
            Some(item) => this.lifecycle.item(|it| (this.probe)(item, it)),
            None => {
                this.lifecycle.end(|ending| (this.end)(&body, ending));
                ready!(this.lifecycle.poll_settled(cx));
            }
        }
        Poll::Ready(item)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.body.as_ref().map_or((0, Some(0)), S::size_hint)
    }
}

impl<S: Stream> Driven for StreamCall<S> {
    fn poll_driven(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        drive(|| self.poll_next(cx))
    }

    fn take_chunk(self: Pin<&mut Self>) -> Option<ChunkEvent> {
        self.project().lifecycle.take_chunk()
    }

    fn output_event(self: Pin<&Self>) -> Option<OutputEvent> {
        self.project_ref().lifecycle.output_event()
    }
}

/// What is asked of a call before its first poll.
///
/// All of these panic if the call has been polled.
impl<S: Stream> StreamCall<S> {
    /// The same call as a stream of its events, and of those of all calls below it.
    ///
    /// The stream ends with the call's own Output. An error or a panic of the call is in there:
    /// neither goes on. Dropping the stream drops the call.
    pub fn events(mut self) -> Events<Self> {
        let inbox = Events::<Self>::inbox(self.lifecycle.settings());
        Events::new(self, inbox)
    }

    /// Runs the call, and gives its items and the trace of it and of all calls below it.
    ///
    /// Calls that outlive this one are not in the trace.
    ///
    /// # Panics
    ///
    /// If the call does.
    pub async fn traced(mut self) -> (Vec<S::Item>, Trace) {
        let gathered = Gathered::of(&mut self.lifecycle);
        let items = items(self).await;
        (items, gathered.trace())
    }
}

impl<S: Stream> StreamCall<S> {
    fn lifecycle(&mut self) -> &mut Lifecycle {
        &mut self.lifecycle
    }

    pub(crate) fn body(self: Pin<&mut Self>) -> Pin<&mut S> {
        self.project().body.as_pin_mut().expect("only `drop` takes the body")
    }
}

settings! { impl [S: Stream] StreamCall<S> }

/// All items of a stream.
pub(crate) async fn items<S: Stream>(stream: S) -> Vec<S::Item> {
    let (mut stream, mut items) = (pin!(stream), Vec::new());
    while let Some(item) = std::future::poll_fn(|cx| stream.as_mut().poll_next(cx)).await {
        items.push(item);
    }
    items
}

impl<S: Stream> std::fmt::Debug for StreamCall<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StreamCall").finish_non_exhaustive()
    }
}
