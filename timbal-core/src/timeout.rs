//! `Timeout`: a call that is given no more than some time.

use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use pin_project_lite::pin_project;
use tokio::task::coop;
use tokio::time::{Instant, Sleep};

use crate::events::{Driven, Events};
use crate::lifecycle::Lifecycle;
use crate::settings::{Gathered, settings};
use crate::{Call, CallError, OutputEvent, Trace};

pin_project! {
    /// A call that is given no more than some time, which counts from its first poll; see
    /// [`Call::timeout`].
    ///
    /// # Panics
    ///
    /// If it has to wait, and is not in a runtime of tokio, or in one that has no timer. The call has
    /// ended then, with this panic as its error.
    ///
    /// # Cancellation
    ///
    /// Dropping it drops the call: it ends `cancelled`, if it had started.
    #[must_use = "calls do nothing unless polled, as all futures"]
    pub struct Timeout<F: Future> {
        #[pin]
        call: Call<F>,
        #[pin]
        sleep: Option<Sleep>, // made by the first poll
        limit: Duration,
    }
}

/// A call took longer than it was given.
///
/// # Examples
///
/// ```
/// # use std::time::Duration;
/// # use timbal_core::Elapsed;
/// # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
/// # runtime.block_on(async {
/// let call = timbal_core::call!("never", std::future::pending::<()>());
/// let elapsed: Elapsed = call.timeout(Duration::from_millis(1)).await.unwrap_err();
/// assert_eq!(elapsed.to_string(), "the call took longer than 1ms");
/// # });
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Elapsed {
    /// What it was given.
    pub limit: Duration,
}

impl fmt::Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the call took longer than {:?}", self.limit)
    }
}

impl std::error::Error for Elapsed {}

impl<F: Future> Call<F> {
    /// The same call, given no more than this time from its first poll on.
    ///
    /// If it takes longer it ends with the status `timeout`: its body is dropped first, and with it
    /// the unfinished calls in it, which end `cancelled`.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use timbal_core::StatusCode;
    /// # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    /// # runtime.block_on(async {
    /// let quick = timbal_core::call!("quick", async { 7 });
    /// assert_eq!(quick.timeout(Duration::from_secs(1)).await, Ok(7));
    ///
    /// let never = timbal_core::call!("never", std::future::pending::<()>());
    /// let done = never.timeout(Duration::from_millis(1)).collect().await;
    /// assert_eq!(done.status.code, StatusCode::Timeout);
    /// # });
    /// ```
    pub fn timeout(self, limit: Duration) -> Timeout<F> {
        Timeout { call: self, sleep: None, limit }
    }
}

impl<F: Future> Future for Timeout<F> {
    type Output = Result<F::Output, Elapsed>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.poll_within(cx, Call::poll)
    }
}

impl<F: Future> Timeout<F> {
    /// Goes on with the call in this way, if there is time left.
    fn poll_within<T>(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        poll: impl FnOnce(Pin<&mut Call<F>>, &mut Context<'_>) -> Poll<T>,
    ) -> Poll<Result<T, Elapsed>> {
        let mut this = self.project();
        let elapsed = Elapsed { limit: *this.limit };
        if this.call.is_settling() {
            return this.call.poll_settled(cx).map(|()| Err(elapsed));
        }
        let first = this.sleep.is_none().then(Instant::now);
        if let Poll::Ready(output) = poll(this.call.as_mut(), cx) {
            return Poll::Ready(Ok(output));
        }
        if let Some(start) = first {
            let sleep = || match start.checked_add(*this.limit) {
                Some(end) => tokio::time::sleep_until(end),
                None => tokio::time::sleep(*this.limit), // which is for ever
            };
            this.sleep.set(Some(this.call.as_mut().run_beside(sleep)));
        }
        // A call that uses up what tokio lets a task do at a time is timed out too.
        let sleep = this.sleep.as_pin_mut().expect("the first poll made it");
        if pin!(coop::unconstrained(sleep)).poll(cx).is_pending() {
            return Poll::Pending;
        }
        this.call.as_mut().time_out();
        this.call.poll_settled(cx).map(|()| Err(elapsed))
    }
}

/// What is asked of a call before its first poll.
///
/// All of these panic if the call has been polled.
impl<F: Future> Timeout<F> {
    /// The same call as a stream of its events, and of those of all calls below it.
    ///
    /// The stream ends with the call's own Output. An error or a panic of the call is in there:
    /// neither goes on. Dropping the stream drops the call.
    pub fn events(mut self) -> Events<Self> {
        let inbox = Events::<Self>::inbox(self.lifecycle().settings());
        Events::new(self, inbox)
    }

    /// Runs the call, and gives only its final event: also of an error, of a panic, and when it took
    /// too long.
    ///
    /// # Cancellation
    ///
    /// Dropping the future drops the call.
    pub async fn collect(mut self) -> OutputEvent {
        self.lifecycle().settings().is_kept = true;
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
    pub async fn traced(mut self) -> (Result<F::Output, Elapsed>, Trace) {
        let gathered = Gathered::of(self.lifecycle());
        let output = self.await;
        (output, gathered.trace())
    }

    fn lifecycle(&mut self) -> &mut Lifecycle {
        self.call.lifecycle()
    }
}

settings! { impl [F: Future] Timeout<F> }

impl<F: Future> Driven for Timeout<F> {
    fn poll_driven(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // A panic is in the Output event, which is all that this reader asked for.
        match catch_unwind(AssertUnwindSafe(|| self.poll_within(cx, Call::poll_completed))) {
            Ok(poll) => poll.map(drop),
            Err(panic) => {
                let _recorded = CallError::from_caught(panic);
                Poll::Ready(())
            }
        }
    }

    fn output_event(self: Pin<&Self>) -> Option<OutputEvent> {
        self.project_ref().call.output_event()
    }
}

impl<F: Future> fmt::Debug for Timeout<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timeout").field("limit", &self.limit).finish_non_exhaustive()
    }
}
