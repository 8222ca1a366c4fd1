//! `LazyIter`: the body of a function that returns an iterator.

use std::iter::FusedIterator;
use std::sync::{Mutex, OnceLock, PoisonError};

/// The iterator that a function would have returned: its body runs when this is first asked for
/// anything, so that all that it does is done in its call.
pub struct LazyIter<M, I> {
    maker: Mutex<Option<M>>,
    made: OnceLock<I>,
}

/// What this makes, made when it is first asked.
pub(crate) fn lazy_iter<M: FnOnce() -> I, I>(maker: M) -> LazyIter<M, I> {
    LazyIter { maker: Mutex::new(Some(maker)), made: OnceLock::new() }
}

impl<M: FnOnce() -> I, I> LazyIter<M, I> {
    fn made(&self) -> &I {
        self.made.get_or_init(|| {
            let maker = self.maker.lock().unwrap_or_else(PoisonError::into_inner).take();
            maker.expect("a maker that panicked is not asked again")()
        })
    }

    fn made_mut(&mut self) -> &mut I {
        self.made();
        self.made.get_mut().expect("it was just made")
    }
}

impl<M: FnOnce() -> I, I: Iterator> Iterator for LazyIter<M, I> {
    type Item = I::Item;

    #[inline]
    fn next(&mut self) -> Option<I::Item> {
        self.made_mut().next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.made().size_hint()
    }
}

impl<M: FnOnce() -> I, I: DoubleEndedIterator> DoubleEndedIterator for LazyIter<M, I> {
    #[inline]
    fn next_back(&mut self) -> Option<I::Item> {
        self.made_mut().next_back()
    }
}

impl<M: FnOnce() -> I, I: ExactSizeIterator> ExactSizeIterator for LazyIter<M, I> {}

impl<M: FnOnce() -> I, I: FusedIterator> FusedIterator for LazyIter<M, I> {}

impl<M, I> std::fmt::Debug for LazyIter<M, I> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LazyIter").field("made", &self.made.get().is_some()).finish_non_exhaustive()
    }
}
