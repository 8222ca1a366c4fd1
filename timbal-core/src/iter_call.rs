//! `IterCall`: a call of a function that gives an iterator.

use std::iter::FusedIterator;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};

use crate::definition::Defined;
use crate::ending::Ending;
use crate::events::{Driven, Events, drive};
use crate::item::ItemProbe;
use crate::lazy_iter::{LazyIter, lazy_iter};
use crate::lifecycle::Lifecycle;
use crate::settings::{Gathered, settings};
use crate::{ChunkEvent, OutputEvent, Trace};

/// A call of a runnable: the iterator that the function would have given, or what it yields.
///
/// It does nothing until it is asked for an item, or for how many there are. Each item is a chunk; as
/// an iterator cannot wait, one is left out while a reader is too far behind to take it, which the
/// call's Output counts in its metadata as `chunks_left_out`. The items are the call's output in the
/// end, and those that are an `Err` pass like all others: the first is the call's error.
///
/// # Cancellation
///
/// Dropped before it was asked for anything, it has said nothing. Dropped before its end, its body is
/// dropped first; then it says its Output, `cancelled`, with what its items came to.
#[must_use = "calls do nothing unless consumed, as all iterators"]
pub struct IterCall<I: Iterator> {
    body: Option<I>, // taken by `drop` alone, which must not leave it to the fields' own order
    lifecycle: Mutex<Lifecycle>, // for `size_hint`, which may start the call
    probe: ItemProbe<I::Item>,
    end: fn(&I, &mut Ending<'_>),
}

/// A call of a runnable that is a function of an iterator, which this makes.
pub fn iterator<T, I: Iterator<Item = T>, M: FnOnce() -> I>(
    definition: &'static Defined,
    maker: M,
    probe: ItemProbe<T>,
) -> IterCall<LazyIter<M, I>> {
    iterator_of(Lifecycle::new(definition), lazy_iter(maker), probe)
}

/// The call that has this life.
pub(crate) fn iterator_of<I: Iterator>(
    lifecycle: Lifecycle,
    body: I,
    probe: ItemProbe<I::Item>,
) -> IterCall<I> {
    iterator_with(lifecycle, body, probe, |_, _| ())
}

/// The same of a body that has more to say in the end than what its items come to.
pub(crate) fn iterator_with<I: Iterator>(
    lifecycle: Lifecycle,
    body: I,
    probe: ItemProbe<I::Item>,
    end: fn(&I, &mut Ending<'_>),
) -> IterCall<I> {
    IterCall { body: Some(body), lifecycle: Mutex::new(lifecycle), probe, end }
}

impl<I: Iterator> IterCall<I> {
    fn lifecycle(&mut self) -> &mut Lifecycle {
        self.lifecycle.get_mut().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn body(&mut self) -> &mut I {
        self.body.as_mut().expect("only `drop` takes the body")
    }

    /// Takes an item from either end.
    fn take(&mut self, take: impl FnOnce(&mut I) -> Option<I::Item>) -> Option<I::Item> {
        let lifecycle = self.lifecycle.get_mut().unwrap_or_else(PoisonError::into_inner);
        let body = self.body.as_mut().expect("only `drop` takes the body");
        lifecycle.start_now();
        let item = lifecycle.run_now(|| take(&mut *body));
        match &item {
            Some(item) => lifecycle.item_now(|it| (self.probe)(item, it)),
            None => {
                lifecycle.end(|ending| (self.end)(body, ending));
                lifecycle.settle();
            }
        }
        item
    }
}

impl<I: Iterator> Iterator for IterCall<I> {
    type Item = I::Item;

    fn next(&mut self) -> Option<I::Item> {
        self.take(I::next)
    }

    /// As the body's own, which is made for it.
    fn size_hint(&self) -> (usize, Option<usize>) {
        let body = self.body.as_ref().expect("only `drop` takes the body");
        let mut lifecycle = self.lifecycle.lock().unwrap_or_else(PoisonError::into_inner);
        if lifecycle.has_started() {
            drop(lifecycle);
            return body.size_hint();
        }
        lifecycle.start_now();
        lifecycle.run(|| body.size_hint())
    }
}

impl<I: DoubleEndedIterator> DoubleEndedIterator for IterCall<I> {
    fn next_back(&mut self) -> Option<I::Item> {
        self.take(I::next_back)
    }
}

impl<I: ExactSizeIterator> ExactSizeIterator for IterCall<I> {}

impl<I: FusedIterator> FusedIterator for IterCall<I> {}

impl<I: Iterator> Unpin for IterCall<I> {}

impl<I: Iterator> Drop for IterCall<I> {
    fn drop(&mut self) {
        let lifecycle = self.lifecycle.get_mut().unwrap_or_else(PoisonError::into_inner);
        lifecycle.cancel(|| self.body = None);
    }
}

impl<I: Iterator> Driven for IterCall<I> {
    fn poll_driven(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        drive(|| Poll::Ready(self.get_mut().next()))
    }

    fn take_chunk(self: Pin<&mut Self>) -> Option<ChunkEvent> {
        self.get_mut().lifecycle().take_chunk()
    }

    fn output_event(self: Pin<&Self>) -> Option<OutputEvent> {
        self.lifecycle.lock().unwrap_or_else(PoisonError::into_inner).output_event()
    }
}

/// What is asked of a call before its first item.
///
/// All of these panic if the call has been asked for anything else.
impl<I: Iterator> IterCall<I> {
    /// The same call as a stream of its events, and of those of all calls below it.
    ///
    /// The stream ends with the call's own Output. An error or a panic of the call is in there:
    /// neither goes on. Dropping the stream drops the call.
    pub fn events(mut self) -> Events<Self> {
        let inbox = Events::<Self>::inbox(self.lifecycle().settings());
        Events::new(self, inbox)
    }

    /// Runs the call, and gives its items and the trace of it and of all calls below it.
    ///
    /// Calls that outlive this one are not in the trace.
    ///
    /// # Panics
    ///
    /// If the call does.
    pub fn traced(mut self) -> (Vec<I::Item>, Trace) {
        let gathered = Gathered::of(self.lifecycle());
        (self.collect(), gathered.trace())
    }
}

settings! { impl [I: Iterator] IterCall<I> }

impl<I: Iterator> std::fmt::Debug for IterCall<I> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IterCall").finish_non_exhaustive()
    }
}
