//! `Generator`: the body of a function that yields its items, and then returns.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::Stream;
use pin_project_lite::pin_project;

use crate::call::Probe;
use crate::definition::Defined;
use crate::ending::Ending;
use crate::item::ItemProbe;
use crate::iter_call::{IterCall, iterator_with};
use crate::lifecycle::Lifecycle;
use crate::stream_call::{StreamCall, stream_with};
use crate::yielder::{Channel, Yielder, no_task};

/// A stream that returns a value in the end: what an `async fn` that says `yields` is inside of its
/// [`StreamCall`].
pub trait StreamGenerator: Stream {
    /// What [`StreamCall::returned`] gives.
    type Returned;

    /// What the body returned; `last` is the last item, if it was not given to anybody else.
    #[doc(hidden)]
    fn finish(self: Pin<&mut Self>, last: Option<Self::Item>) -> Self::Returned;
}

/// An iterator that returns a value in the end: what a `fn` that says `yields` is inside of its
/// [`IterCall`].
pub trait IterGenerator: Iterator {
    /// What [`IterCall::returned`] gives.
    type Returned;

    /// What the body returned; `last` is the last item, if it was not given to anybody else.
    #[doc(hidden)]
    fn finish(&mut self, last: Option<Self::Item>) -> Self::Returned;
}

pin_project! {
    /// A body that is polled for its items, which it gives to its end of a channel.
    pub struct Generator<K, T, F>
    where
        F: Future,
        K: Kind<T, F::Output>,
    {
        #[pin]
        body: F,
        channel: Arc<Channel<T>>,
        ended: Option<Ended<K::Item, K::Value>>,
        probe: Probe<K::Value>,
        kind: PhantomData<K>,
    }
}

/// What a body ended with, until it is taken.
enum Ended<I, V> {
    Value(V),
    /// An error is the last item.
    Item(I),
    Taken,
}

/// What a body that yields `T` and returns `O` gives.
pub trait Kind<T, O> {
    /// What its reader takes.
    type Item;
    /// What is recorded of what it returns.
    type Value;

    /// The item that this makes.
    fn item(value: T) -> Self::Item;

    /// What it returned, or its last item.
    fn end(output: O) -> Result<Self::Value, Self::Item>;

    /// What it returned.
    fn output(value: Self::Value) -> O;

    /// What it returned, if this is its last item.
    fn failure(last: Self::Item) -> Option<O>;
}

/// `yields = T`.
#[derive(Debug)]
pub struct Yields;

/// `try_yields = T`.
#[derive(Debug)]
pub struct TryYields;

/// What a function returns that says `try_yields`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no `Result`, of which a function with `try_yields` returns one",
    label = "expected `Result<R, E>`",
    note = "write `yields` if it cannot fail"
)]
pub trait Fallible: Sized {
    /// What it is if it is no error.
    type Value;
    /// What it is if it is one.
    type Error;

    /// Itself, as what it is.
    fn into_result(self) -> Result<Self::Value, Self::Error>;

    /// One of these.
    fn from_result(result: Result<Self::Value, Self::Error>) -> Self;
}

/// A call of a runnable that is an `async fn` and yields.
pub fn generator<K, T, F, M>(
    definition: &'static Defined,
    maker: M,
    item: ItemProbe<K::Item>,
    probe: Probe<K::Value>,
) -> StreamCall<Generator<K, T, F>>
where
    K: Kind<T, F::Output>,
    F: Future,
    M: FnOnce(Yielder<T>) -> F,
{
    let body = Generator::new(true, maker, probe);
    stream_with(Lifecycle::new(definition), body, item, Generator::end)
}

/// A call of a runnable that is a `fn` and yields.
pub fn iter_generator<K, T, F, M>(
    definition: &'static Defined,
    maker: M,
    item: ItemProbe<K::Item>,
    probe: Probe<K::Value>,
) -> IterCall<Resumed<Generator<K, T, F>>>
where
    K: Kind<T, F::Output>,
    F: Future,
    M: FnOnce(Yielder<T>) -> F,
{
    let body = Resumed(Box::pin(Generator::new(false, maker, probe)));
    iterator_with(Lifecycle::new(definition), body, item, |body, ending| body.0.end(ending))
}

impl<K: Kind<T, F::Output>, T, F: Future> Generator<K, T, F> {
    fn new(is_async: bool, maker: impl FnOnce(Yielder<T>) -> F, probe: Probe<K::Value>) -> Self {
        let channel = Channel::new(is_async);
        let body = maker(Yielder::new(&channel));
        Self { body, channel, ended: None, probe, kind: PhantomData }
    }

    fn end(&self, ending: &mut Ending<'_>) {
        if let Some(Ended::Value(value)) = &self.ended {
            (self.probe)(value, ending);
        }
    }
}

impl<K: Kind<T, F::Output>, T, F: Future> Stream for Generator<K, T, F> {
    type Item = K::Item;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<K::Item>> {
        let this = self.project();
        if this.ended.is_none() {
            let polled = this.channel.poll(cx.waker());
            if let Poll::Ready(output) = this.body.poll(cx) {
                *this.ended = Some(K::end(output).map_or_else(Ended::Item, Ended::Value));
            }
            drop(polled);
        }
        if let Some(value) = this.channel.take() {
            return Poll::Ready(Some(K::item(value)));
        }
        match this.ended {
            None => Poll::Pending,
            Some(ended @ Ended::Item(_)) => match std::mem::replace(ended, Ended::Taken) {
                Ended::Item(item) => Poll::Ready(Some(item)),
                Ended::Value(_) | Ended::Taken => unreachable!("it was just seen"),
            },
            Some(Ended::Value(_) | Ended::Taken) => Poll::Ready(None),
        }
    }
}

impl<K: Kind<T, F::Output>, T, F: Future> StreamGenerator for Generator<K, T, F> {
    type Returned = F::Output;

    fn finish(self: Pin<&mut Self>, last: Option<K::Item>) -> F::Output {
        let ended = self.project().ended.replace(Ended::Taken);
        let output = match ended {
            Some(Ended::Value(value)) => Some(K::output(value)),
            _ => last.and_then(K::failure),
        };
        output.expect("what this generator returned was taken before: an error is its last item")
    }
}

/// A body that is polled where the next item is asked for, and cannot wait for anything else.
pub struct Resumed<G>(Pin<Box<G>>);

impl<G: Stream> Iterator for Resumed<G> {
    type Item = G::Item;

    /// # Panics
    ///
    /// If the body waits, as it can only by what a macro in it has written.
    fn next(&mut self) -> Option<G::Item> {
        let mut cx = Context::from_waker(no_task());
        match self.0.as_mut().poll_next(&mut cx) {
            Poll::Ready(item) => item,
            Poll::Pending => panic!(
                "a generator that is no `async fn` waits for something that is no reader of its \
                 items: make it an `async fn`"
            ),
        }
    }
}

impl<G: StreamGenerator> IterGenerator for Resumed<G> {
    type Returned = G::Returned;

    fn finish(&mut self, last: Option<G::Item>) -> G::Returned {
        self.0.as_mut().finish(last)
    }
}

impl<T, R> Kind<T, R> for Yields {
    type Item = T;
    type Value = R;

    fn item(value: T) -> T {
        value
    }

    fn end(output: R) -> Result<R, T> {
        Ok(output)
    }

    fn output(value: R) -> R {
        value
    }

    fn failure(_: T) -> Option<R> {
        None
    }
}

impl<T, O: Fallible> Kind<T, O> for TryYields {
    type Item = Result<T, O::Error>;
    type Value = O::Value;

    fn item(value: T) -> Self::Item {
        Ok(value)
    }

    fn end(output: O) -> Result<O::Value, Self::Item> {
        output.into_result().map_err(Err)
    }

    fn output(value: O::Value) -> O {
        O::from_result(Ok(value))
    }

    fn failure(last: Self::Item) -> Option<O> {
        last.err().map(|error| O::from_result(Err(error)))
    }
}

impl<R, E> Fallible for Result<R, E> {
    type Value = R;
    type Error = E;

    fn into_result(self) -> Self {
        self
    }

    fn from_result(result: Self) -> Self {
        result
    }
}

impl<K: Kind<T, F::Output>, T, F: Future> std::fmt::Debug for Generator<K, T, F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Generator").field("ended", &self.ended.is_some()).finish_non_exhaustive()
    }
}

impl<G> std::fmt::Debug for Resumed<G> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Resumed").finish_non_exhaustive()
    }
}
