//! `Boxed`: a call whose function makes its body where it is called, as its type says.

use std::future::Future;
use std::pin::Pin;

use futures_core::Stream;

use crate::call::{Call, Probe, call_of};
use crate::capture::{self, Fields};
use crate::definition::Defined;
use crate::item::ItemProbe;
use crate::iter_call::{IterCall, iterator_of};
use crate::lifecycle::Lifecycle;
use crate::stream_call::{StreamCall, stream_of};

/// A call of a function that returns a boxed future, stream or iterator, whose type is to stay, or a
/// hidden one that does not borrow all that its parameters do.
///
/// The function runs where it is called, outside of the call, as that says nothing before its first
/// poll. Only its input is captured then, before the function can use it up.
pub struct Boxed {
    lifecycle: Lifecycle,
}

/// A call of this runnable, whose body is made next.
pub fn boxed(definition: &'static Defined) -> Boxed {
    Boxed { lifecycle: Lifecycle::new(definition) }
}

impl Boxed {
    /// The function's parameters, if anybody will hear of them.
    pub fn input(&mut self, fill: impl FnOnce(&mut Fields<'_>)) {
        self.lifecycle.capture_input(|rules| Some(capture::object(rules, fill)));
    }

    /// It has no parameters that are to be captured. This too is said here, as the call is entered
    /// with its input where it starts: no other thread may do that.
    pub fn no_input(&mut self) {
        self.lifecycle.capture_input(|_| None);
    }

    /// The call as a future.
    pub fn future<T, F: Future<Output = T>>(
        self,
        make: impl FnOnce(&mut Self) -> F,
        probe: Probe<T>,
    ) -> Pin<Box<Call<F>>> {
        Box::pin(self.hidden_future(make, probe))
    }

    /// The same of a type that is not named.
    pub fn hidden_future<T, F: Future<Output = T>>(
        mut self,
        make: impl FnOnce(&mut Self) -> F,
        probe: Probe<T>,
    ) -> Call<F> {
        let body = make(&mut self);
        call_of(self.lifecycle, body, probe)
    }

    /// The call as a future that need not be pinned, as its body need not.
    pub fn unpinned_future<T, F: Future<Output = T>>(
        self,
        make: impl FnOnce(&mut Self) -> F,
        probe: Probe<T>,
    ) -> Box<Call<F>> {
        Box::new(self.hidden_future(make, probe))
    }

    /// The call as a stream.
    pub fn stream<T, S: Stream<Item = T>>(
        self,
        make: impl FnOnce(&mut Self) -> S,
        probe: ItemProbe<T>,
    ) -> Pin<Box<StreamCall<S>>> {
        Box::pin(self.hidden_stream(make, probe))
    }

    /// The same of a type that is not named.
    pub fn hidden_stream<T, S: Stream<Item = T>>(
        mut self,
        make: impl FnOnce(&mut Self) -> S,
        probe: ItemProbe<T>,
    ) -> StreamCall<S> {
        let body = make(&mut self);
        stream_of(self.lifecycle, body, probe)
    }

    /// The call as a stream that need not be pinned, as its body need not.
    pub fn unpinned_stream<T, S: Stream<Item = T>>(
        self,
        make: impl FnOnce(&mut Self) -> S,
        probe: ItemProbe<T>,
    ) -> Box<StreamCall<S>> {
        Box::new(self.hidden_stream(make, probe))
    }

    /// The call as an iterator.
    pub fn iterator<T, I: Iterator<Item = T>>(
        self,
        make: impl FnOnce(&mut Self) -> I,
        probe: ItemProbe<T>,
    ) -> Box<IterCall<I>> {
        Box::new(self.hidden_iterator(make, probe))
    }

    /// The same of a type that is not named.
    pub fn hidden_iterator<T, I: Iterator<Item = T>>(
        mut self,
        make: impl FnOnce(&mut Self) -> I,
        probe: ItemProbe<T>,
    ) -> IterCall<I> {
        let body = make(&mut self);
        iterator_of(self.lifecycle, body, probe)
    }
}

/// A future of a type that can be named, as the crate `futures` calls it.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The same of a future that need not be `Send`.
pub type LocalBoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// A call of this runnable with this body, of a type that can be named.
pub fn box_call<'a, T>(
    definition: &'static Defined,
    body: impl Future<Output = T> + Send + 'a,
    probe: Probe<T>,
) -> Call<BoxFuture<'a, T>> {
    call_of(Lifecycle::new(definition), Box::pin(body), probe)
}

/// The same of a body that need not be `Send`.
pub fn local_box_call<'a, T>(
    definition: &'static Defined,
    body: impl Future<Output = T> + 'a,
    probe: Probe<T>,
) -> Call<LocalBoxFuture<'a, T>> {
    call_of(Lifecycle::new(definition), Box::pin(body), probe)
}

impl std::fmt::Debug for Boxed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Boxed").finish_non_exhaustive()
    }
}
