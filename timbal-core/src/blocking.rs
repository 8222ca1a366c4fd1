//! `Blocking`: the body of a function that blocks its thread, on a thread that may be blocked.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use crate::call::{Call, Probe, call};
use crate::definition::Defined;
use crate::held::Held;
use crate::{annotate, current};

/// A body that runs on a thread of tokio's blocking pool, as the current call of that thread.
///
/// It can be dropped while it runs: then what it still says of its call is said too late.
pub struct Blocking<M, T> {
    state: State<M, T>,
}

enum State<M, T> {
    Made(Option<M>),
    Running(tokio::task::JoinHandle<T>),
}

/// A call of this runnable, whose body blocks its thread.
pub fn blocking<T: Send + 'static, M: FnOnce() -> T + Send + 'static>(
    definition: &'static Defined,
    maker: M,
    probe: Probe<T>,
) -> Call<Blocking<M, T>> {
    call(definition, Blocking { state: State::Made(Some(maker)) }, probe)
}

impl<M, T> Unpin for Blocking<M, T> {}

impl<M, T> Future for Blocking<M, T>
where
    M: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        if let State::Made(maker) = &mut self.state {
            let maker = maker.take().expect("outside of tokio it is not asked again");
            annotate::no_input(); // enters the call, which the body's thread must not do
            let call = current::shared();
            let run = move || {
                let _entered = current::enter(call.map(Held::Shared));
                maker()
            };
            self.state = State::Running(tokio::task::spawn_blocking(run));
        }
        let State::Running(task) = &mut self.state else { unreachable!("it runs by now") };
        match ready!(Pin::new(task).poll(cx)) {
            Ok(value) => Poll::Ready(value),
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => panic!("tokio ended before the blocking call began"),
            },
        }
    }
}

impl<M, T> Drop for Blocking<M, T> {
    /// What has not begun need not.
    fn drop(&mut self) {
        if let State::Running(task) = &self.state {
            task.abort();
        }
    }
}

impl<M, T> std::fmt::Debug for Blocking<M, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Blocking").finish_non_exhaustive()
    }
}
