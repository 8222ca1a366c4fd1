//! `in_current`: carries the current call to where it would not be known, another thread or task.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::current::{self, Current};

/// A closure that runs as a part of the call that is current here, wherever it is called.
///
/// Outside of a call it is just the closure. What it says after the call's Output is said of the
/// nearest call above that is still open; if there is none, it is counted in
/// [`Health::late`](crate::Health::late).
///
/// # Examples
///
/// ```
/// # use std::thread;
/// # futures::executor::block_on(async {
/// let call = timbal_core::call!("root", skip_output, async {
///     let work = timbal_core::in_current(|| timbal_core::usage("files", 3));
///     thread::spawn(work).join()
/// });
/// assert_eq!(call.collect().await.usage["files"], 3);
/// # });
/// ```
///
/// A closure that runs more than once takes the call with it as a [`Current`]:
///
/// ```
/// # use std::thread;
/// # futures::executor::block_on(async {
/// let call = timbal_core::call!("root", skip_output, async {
///     let here = timbal_core::current().expect("this is a call");
///     let work = |files| here.run(|| timbal_core::usage("files", files));
///     thread::scope(|scope| (0..4).for_each(|files| drop(scope.spawn(move || work(files)))));
/// });
/// assert_eq!(call.collect().await.usage["files"], 6);
/// # });
/// ```
pub fn in_current<R>(closure: impl FnOnce() -> R) -> impl FnOnce() -> R {
    let here = current::current();
    move || match &here {
        Some(call) => call.run(closure),
        None => closure(),
    }
}

/// What can be carried to another task as a part of the call that is current: every future.
pub trait InCurrent: Future + Sized {
    /// The same future, as a part of the call that is current here, wherever it is polled and
    /// dropped.
    ///
    /// Outside of a call it is just the future. A [`Call`](crate::Call) needs no help: it belongs to
    /// the call in which it was made. What is said after the call's Output is said of the nearest
    /// call above that is still open; if there is none, it is counted in
    /// [`Health::late`](crate::Health::late).
    ///
    /// # Examples
    ///
    /// ```
    /// use timbal_core::InCurrent;
    /// # use futures::executor::block_on;
    ///
    /// # block_on(async {
    /// let call = timbal_core::call!("root", skip_output, async {
    ///     let work = async { timbal_core::emit("half of it is done").await }.in_current();
    ///     std::thread::spawn(|| block_on(work)).join()
    /// });
    /// assert_eq!(call.traced().await.1.root().unwrap().chunks, 1);
    /// # });
    /// ```
    fn in_current(self) -> Carried<Self> {
        Carried { call: current::current(), future: Some(self) }
    }
}

impl<F: Future> InCurrent for F {}

pin_project! {
    /// A future that runs as a part of the call in which it was made; see [`InCurrent`].
    ///
    /// # Cancellation
    ///
    /// Dropping it drops the future, as a part of that call too.
    #[must_use = "futures do nothing unless polled"]
    pub struct Carried<F> {
        call: Option<Current>,
        #[pin]
        future: Option<F>, // taken by `drop` alone, which must not leave it to the fields' own order
    }

    impl<F> PinnedDrop for Carried<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            run(this.call, || this.future.set(None));
        }
    }
}

impl<F: Future> Future for Carried<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let future = this.future.as_pin_mut().expect("only `drop` takes the future");
        run(this.call, || future.poll(cx))
    }
}

fn run<R>(call: &Option<Current>, part: impl FnOnce() -> R) -> R {
    match call {
        Some(call) => call.run(part),
        None => part(),
    }
}

impl<F> std::fmt::Debug for Carried<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Carried").field("call", &self.call).finish_non_exhaustive()
    }
}
