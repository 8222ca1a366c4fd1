//! `Returned`: what a generator returns, when all that it yields was taken.

use std::future::Future;
use std::ops::DerefMut;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use futures_core::Stream;

use crate::generator::{IterGenerator, StreamGenerator};
use crate::iter_call::IterCall;
use crate::stream_call::StreamCall;

/// What a generator returns.
impl<S: StreamGenerator> StreamCall<S> {
    /// Takes all items that were not taken yet, and gives what the generator returns. It belongs to
    /// [`Pinned`] if it is pinned, as one is of which items were taken.
    ///
    /// # Cancellation
    ///
    /// Dropping the future drops the call.
    ///
    /// # Panics
    ///
    /// If the call does. If it was taken before: an error is also the last item of a generator that
    /// says `try_yields`.
    pub async fn returned(self) -> S::Returned {
        Returned::of(pin!(self)).await
    }
}

/// What a generator returns.
impl<I: IterGenerator> IterCall<I> {
    /// Takes all items that were not taken yet, and gives what the generator returns.
    ///
    /// # Panics
    ///
    /// If the call does. If it was taken before: an error is also the last item of a generator that
    /// says `try_yields`.
    pub fn returned(mut self) -> I::Returned {
        let last = self.by_ref().last();
        self.body().finish(last)
    }
}

/// What a pinned call of a generator returns. `use timbal::yield_` brings its method too.
pub trait Pinned {
    /// The future of what it returns.
    type Returned: Future;

    /// Takes all items that were not taken yet, and gives what the generator returns.
    ///
    /// # Panics
    ///
    /// As that of a call that is not pinned.
    fn returned(self) -> Self::Returned;
}

impl<P, S> Pinned for Pin<P>
where
    P: DerefMut<Target = StreamCall<S>>,
    S: StreamGenerator,
{
    type Returned = Returned<P, S>;

    fn returned(self) -> Returned<P, S> {
        Returned::of(self)
    }
}

/// The future of what a generator returns.
#[must_use = "a call does nothing unless polled, as all futures"]
pub struct Returned<P, S: Stream> {
    call: Pin<P>,
    last: Option<S::Item>,
}

impl<P, S: Stream> Returned<P, S> {
    fn of(call: Pin<P>) -> Self {
        Self { call, last: None }
    }
}

impl<P, S: Stream> Unpin for Returned<P, S> {}

impl<P, S> Future for Returned<P, S>
where
    P: DerefMut<Target = StreamCall<S>>,
    S: StreamGenerator,
{
    type Output = S::Returned;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<S::Returned> {
        let this = &mut *self;
        while let Some(item) = ready!(this.call.as_mut().poll_next(cx)) {
            this.last = Some(item);
        }
        Poll::Ready(this.call.as_mut().body().finish(this.last.take()))
    }
}

impl<P, S: Stream> std::fmt::Debug for Returned<P, S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Returned").finish_non_exhaustive()
    }
}
