//! `Call`: a call of a function that gives one value in the end.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use crate::definition::Defined;
use crate::ending::Ending;
use crate::events::{Driven, Events};
use crate::lazy::{Lazy, lazy};
use crate::lifecycle::Lifecycle;
use crate::settings::{Gathered, settings};
use crate::{CallError, OutputEvent, Trace};

/// Looks at what a call gave, and says it. The expansion has it, where the type is concrete.
pub(crate) type Probe<T> = fn(&T, &mut Ending<'_>);

pin_project! {
    /// A call of a runnable: the future that the function would have given.
    ///
    /// It does nothing until it is polled. It belongs to the call in which it was made, whichever
    /// task or thread polls it.
    ///
    /// # Cancellation
    ///
    /// Dropped before its first poll, it has said nothing. Dropped later, its body is dropped first,
    /// and with it the unfinished calls in it; then it says its Output, `cancelled`.
    #[must_use = "calls do nothing unless polled, as all futures"]
    pub struct Call<F: Future> {
        #[pin]
        body: Option<F>, // taken by `drop` and `time_out`, which must not leave it to the fields' order
        lifecycle: Lifecycle,
        probe: Probe<F::Output>,
    }

    impl<F: Future> PinnedDrop for Call<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            this.lifecycle.cancel(|| this.body.set(None));
        }
    }
}

/// A call of this runnable with this body.
#[inline]
pub fn call<F: Future>(definition: &'static Defined, body: F, probe: Probe<F::Output>) -> Call<F> {
    Call { body: Some(body), lifecycle: Lifecycle::new(definition), probe }
}

/// A call of a runnable that is a function of a future, which this makes.
pub fn future<T, F: Future<Output = T>, M: FnOnce() -> F>(
    definition: &'static Defined,
    maker: M,
    probe: Probe<T>,
) -> Call<Lazy<M, F>> {
    call(definition, lazy(maker), probe)
}

/// The call that has this life.
pub(crate) fn call_of<F: Future>(
    lifecycle: Lifecycle,
    body: F,
    probe: Probe<F::Output>,
) -> Call<F> {
    Call { body: Some(body), lifecycle, probe }
}

/// A call of a block of code that is no function, by a name that is known at run time.
///
/// The name and the future; what the block gives is captured as the output of a function would be,
/// unless `skip_output` stands between them. A dot in the name becomes `_`, as dots separate the
/// names of a path.
///
/// The block begins where the call is first polled, and what stands before it is no part of it: of
/// `call!("x", f())` the call of `f` is made outside of `x`, and is its neighbour. In
/// `call!("x", async { f().await })` it is a child.
///
/// The type that the block gives must be known where it stands, not only from what is done with it:
/// one with a `?` in it ends with `Ok::<_, Error>(..)`.
///
/// # Examples
///
/// ```
/// # futures::executor::block_on(async {
/// let shard = 7;
/// let sum = timbal_core::call!(format!("shard {shard}"), async { 1 + 2 }).await;
/// assert_eq!(sum, 3);
///
/// let port = timbal_core::call!("port", async {
///     let port: u16 = "80".parse()?;
///     Ok::<_, std::num::ParseIntError>(port)
/// });
/// assert_eq!(port.await, Ok(80));
/// # });
/// ```
#[macro_export]
macro_rules! call {
    ($name:expr, skip_output, $body:expr $(,)?) => {
        $crate::__private::block(
            $crate::__private::definition!("call"),
            $name,
            $body,
            |output, ending| {
                let (_, error) = $crate::__private::split!(output);
                ending.error(error);
            },
        )
    };
    ($name:expr, $body:expr $(,)?) => {
        $crate::__private::block(
            $crate::__private::definition!("call"),
            $name,
            $body,
            |output, ending| {
                let (value, error) = $crate::__private::split!(output);
                ending.error(error);
                ending.output(value);
            },
        )
    };
}

/// A call of a block by this name. It has no parameters.
pub fn block<F: Future>(
    definition: &'static Defined,
    name: impl AsRef<str>,
    body: F,
    probe: Probe<F::Output>,
) -> Call<F> {
    let mut call = call(definition, body, probe);
    call.lifecycle.settings().name = Some(path_part(name.as_ref()));
    call
}

/// The declared type of an output, said before a body whose own type is not known yet.
///
/// # Panics
///
/// Always: it stands where nothing runs.
pub fn declared<T>() -> T {
    unreachable!("only its type is asked for")
}

impl<F: Future> Future for Call<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let output = ready!(self.as_mut().poll_value(cx));
        // The value cannot be kept until the next poll: it need not be `Send`, as the call may be.
        self.project().lifecycle.settle();
        Poll::Ready(output)
    }
}

impl<F: Future> Call<F> {
    /// Goes on with the call until it has ended, and gives its value.
    #[inline]
    fn poll_value(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        ready!(this.lifecycle.poll_settled(cx)); // only a panic of the body is kept from before
        ready!(this.lifecycle.start(cx));
        let body = this.body.as_pin_mut().expect("it has not ended");
        let output = ready!(this.lifecycle.poll(cx, |cx| body.poll(cx)));
        this.lifecycle.end(|ending| (this.probe)(&output, ending));
        Poll::Ready(output)
    }

    /// The same without the value, until the call completes.
    pub(crate) fn poll_completed(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if !self.lifecycle.is_settling() {
            drop(ready!(self.as_mut().poll_value(cx)));
        }
        self.project().lifecycle.poll_settled(cx)
    }
}

impl<F: Future> Driven for Call<F> {
    fn poll_driven(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // A panic is in the Output event, which is all that this reader asked for.
        match catch_unwind(AssertUnwindSafe(|| self.poll_completed(cx))) {
            Ok(poll) => poll,
            Err(panic) => {
                let _recorded = CallError::from_caught(panic);
                Poll::Ready(())
            }
        }
    }

    fn output_event(self: Pin<&Self>) -> Option<OutputEvent> {
        self.project_ref().lifecycle.output_event()
    }
}

/// What is asked of a call before its first poll.
///
/// All of these panic if the call has been polled.
impl<F: Future> Call<F> {
    /// The same call as a stream of its events, and of those of all calls below it.
    ///
    /// The stream ends with the call's own Output. An error or a panic of the call is in there:
    /// neither goes on. Dropping the stream drops the call.
    pub fn events(mut self) -> Events<Self> {
        let inbox = Events::<Self>::inbox(self.lifecycle.settings());
        Events::new(self, inbox)
    }

    /// Runs the call, and gives only its final event: also of an error, and of a panic.
    ///
    /// # Cancellation
    ///
    /// Dropping the future drops the call.
    pub async fn collect(mut self) -> OutputEvent {
        self.lifecycle.settings().is_kept = true;
        let mut call = pin!(self);
        std::future::poll_fn(|cx| call.as_mut().poll_driven(cx)).await;
        call.as_ref().output_event().expect("it has ended, and was to be kept")
    }

    /// Runs the call, and gives its value and the trace of it and of all calls below it.
    ///
    /// Calls that outlive this one are not in the trace.
    ///
    /// # Panics
    ///
    /// If the call does.
    pub async fn traced(mut self) -> (F::Output, Trace) {
        let gathered = Gathered::of(&mut self.lifecycle);
        let output = self.await;
        (output, gathered.trace())
    }
}

impl<F: Future> Call<F> {
    pub(crate) fn lifecycle(&mut self) -> &mut Lifecycle {
        &mut self.lifecycle
    }

    /// Runs what belongs to the call but not to its body. If it panics, that is the call's error.
    #[cfg(feature = "tokio")]
    pub(crate) fn run_beside<R>(self: Pin<&mut Self>, part: impl FnOnce() -> R) -> R {
        let mut this = self.project();
        catch_unwind(AssertUnwindSafe(part)).unwrap_or_else(|panic| {
            this.lifecycle.start_now();
            this.lifecycle.run(|| {
                this.body.set(None);
                std::panic::resume_unwind(panic)
            })
        })
    }

    /// Whether the call has ended, and completes when its run is written.
    #[cfg(feature = "tokio")]
    pub(crate) fn is_settling(&self) -> bool {
        self.lifecycle.is_settling()
    }

    /// Waits until the call's run is written, if it is to.
    #[cfg(feature = "tokio")]
    pub(crate) fn poll_settled(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.project().lifecycle.poll_settled(cx)
    }

    /// The call took too long.
    #[cfg(feature = "tokio")]
    pub(crate) fn time_out(self: Pin<&mut Self>) {
        let mut this = self.project();
        this.lifecycle.time_out(|| this.body.set(None));
    }
}

settings! { impl [F: Future] Call<F> }

/// A name that does not fall apart in a path: dots separate names there.
fn path_part(name: &str) -> Arc<String> {
    Arc::new(if name.is_empty() { "_".to_owned() } else { name.replace('.', "_") })
}

impl<F: Future> std::fmt::Debug for Call<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Call").finish_non_exhaustive()
    }
}
