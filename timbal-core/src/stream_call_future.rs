//! `StreamCallFuture`: a call of an `async fn` that gives a stream of items.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use pin_project_lite::pin_project;

use crate::definition::Defined;
use crate::events::{Driven, Events, drive};
use crate::item::ItemProbe;
use crate::lifecycle::Lifecycle;
use crate::settings::{Gathered, settings};
use crate::stream_call::{StreamCall, items, stream_of};
use crate::{ChunkEvent, OutputEvent, Trace};

pin_project! {
    /// A call of a runnable that is an `async fn` of a stream: the future of the [`StreamCall`].
    ///
    /// Both are one call: it starts when this is first polled, and ends when the stream does.
    ///
    /// # Cancellation
    ///
    /// As of the stream: dropped before its first poll, it has said nothing; dropped later, it says
    /// its Output, `cancelled`.
    #[must_use = "calls do nothing unless polled, as all futures"]
    pub struct StreamCallFuture<F: Future<Output: Stream>> {
        #[pin]
        body: Option<F>, // taken by `drop` alone, which must not leave it to the fields' own order
        lifecycle: Lifecycle,
        probe: ItemProbe<<F::Output as Stream>::Item>,
    }

    impl<F: Future<Output: Stream>> PinnedDrop for StreamCallFuture<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            this.lifecycle.cancel(|| this.body.set(None));
        }
    }
}

/// A call of a runnable that is an `async fn` of a stream.
pub fn stream_future<T, S: Stream<Item = T>, F: Future<Output = S>>(
    definition: &'static Defined,
    body: F,
    probe: ItemProbe<T>,
) -> StreamCallFuture<F> {
    StreamCallFuture { body: Some(body), lifecycle: Lifecycle::new(definition), probe }
}

impl<F: Future<Output: Stream>> Future for StreamCallFuture<F> {
    type Output = StreamCall<F::Output>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        ready!(this.lifecycle.poll_settled(cx)); // only a panic of the body is kept from before
        ready!(this.lifecycle.start(cx));
        let body = this.body.as_pin_mut().expect("only `drop` takes the body");
        let stream = ready!(this.lifecycle.poll(cx, |cx| body.poll(cx)));
        Poll::Ready(stream_of(this.lifecycle.hand_over(), stream, *this.probe))
    }
}

/// What is asked of a call before its first poll.
///
/// All of these panic if the call has been polled.
impl<F: Future<Output: Stream>> StreamCallFuture<F> {
    /// The same call as a stream of its events, and of those of all calls below it.
    ///
    /// The stream ends with the call's own Output, which comes when the stream has ended. An error or
    /// a panic of the call is in there: neither goes on. Dropping the stream drops the call.
    pub fn events(mut self) -> Events<Opening<F>> {
        let inbox = Events::<Opening<F>>::inbox(self.lifecycle.settings());
        Events::new(Opening::of(self), inbox)
    }

    /// Runs the call, and gives its items and the trace of it and of all calls below it.
    ///
    /// Calls that outlive this one are not in the trace.
    ///
    /// # Panics
    ///
    /// If the call does.
    pub async fn traced(mut self) -> (Vec<<F::Output as Stream>::Item>, Trace) {
        let gathered = Gathered::of(&mut self.lifecycle);
        let items = items(Opening::of(self)).await;
        (items, gathered.trace())
    }
}

impl<F: Future<Output: Stream>> StreamCallFuture<F> {
    fn lifecycle(&mut self) -> &mut Lifecycle {
        &mut self.lifecycle
    }
}

settings! { impl [F: Future<Output: Stream>] StreamCallFuture<F> }

pin_project! {
    /// The call from its start to its end: first as a future, then as the stream that this gives.
    pub struct Opening<F: Future<Output: Stream>> {
        #[pin]
        future: Option<StreamCallFuture<F>>,
        #[pin]
        stream: Option<StreamCall<F::Output>>,
    }
}

impl<F: Future<Output: Stream>> Opening<F> {
    fn of(future: StreamCallFuture<F>) -> Self {
        Self { future: Some(future), stream: None }
    }
}

impl<F: Future<Output: Stream>> Stream for Opening<F> {
    type Item = <F::Output as Stream>::Item;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut this = self.project();
        if let Some(future) = this.future.as_mut().as_pin_mut() {
            let stream = ready!(future.poll(cx));
            this.future.set(None);
            this.stream.set(Some(stream));
        }
        this.stream.as_pin_mut().expect("it is there when the future is not").poll_next(cx)
    }
}

impl<F: Future<Output: Stream>> Driven for Opening<F> {
    fn poll_driven(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        drive(|| self.poll_next(cx))
    }

    fn take_chunk(self: Pin<&mut Self>) -> Option<ChunkEvent> {
        self.project().stream.as_pin_mut()?.take_chunk()
    }

    fn output_event(self: Pin<&Self>) -> Option<OutputEvent> {
        let this = self.project_ref();
        match (this.stream.as_pin_ref(), this.future.as_pin_ref()) {
            (Some(stream), _) => stream.output_event(),
            (None, future) => future?.project_ref().lifecycle.output_event(),
        }
    }
}

impl<F: Future<Output: Stream>> std::fmt::Debug for StreamCallFuture<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StreamCallFuture").finish_non_exhaustive()
    }
}

impl<F: Future<Output: Stream>> std::fmt::Debug for Opening<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opening").finish_non_exhaustive()
    }
}
