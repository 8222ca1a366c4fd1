//! `Lazy`: the body of a function that returns a future, a stream or an iterator.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use pin_project_lite::pin_project;

pin_project! {
    /// What a function would have returned: its body runs when this is first polled, so that all that
    /// it does is done in its call.
    pub struct Lazy<M, B> {
        maker: Option<M>,
        #[pin]
        made: Option<B>,
    }
}

/// What this makes, made when it is first polled.
pub(crate) fn lazy<M: FnOnce() -> B, B>(maker: M) -> Lazy<M, B> {
    Lazy { maker: Some(maker), made: None }
}

impl<M: FnOnce() -> B, B> Lazy<M, B> {
    #[inline]
    fn made(self: Pin<&mut Self>) -> Pin<&mut B> {
        let mut this = self.project();
        if this.made.is_none() {
            make(this.maker, this.made.as_mut());
        }
        this.made.as_pin_mut().expect("it was made")
    }
}

/// Apart from the many times when it is made already.
#[cold]
#[inline(never)]
fn make<M: FnOnce() -> B, B>(maker: &mut Option<M>, mut made: Pin<&mut Option<B>>) {
    let maker = maker.take().expect("a maker that panicked is not asked again");
    made.set(Some(maker()));
}

impl<M: FnOnce() -> F, F: Future> Future for Lazy<M, F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.made().poll(cx)
    }
}

impl<M: FnOnce() -> S, S: Stream> Stream for Lazy<M, S> {
    type Item = S::Item;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        self.made().poll_next(cx)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.made.as_ref().map_or((0, None), S::size_hint)
    }
}

impl<M, B> std::fmt::Debug for Lazy<M, B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lazy").field("made", &self.made.is_some()).finish_non_exhaustive()
    }
}
