//! `spawn`: a task of tokio as a part of the current call.

use std::future::Future;

use tokio::task::JoinHandle;

use crate::InCurrent;

/// Spawns a task of tokio whose future is a part of the call that is current here: `tokio::spawn` of
/// [`future.in_current()`](InCurrent::in_current).
///
/// A [`Call`](crate::Call) needs no help: it belongs to the call in which it was made, also in a task
/// that `tokio::spawn` spawned.
///
/// Of a job that starts its own next turn, each turn would be a child of the one before, and its path
/// longer by a name: let each be a run of its own, by `detached()`.
///
/// # Panics
///
/// Outside of a runtime of tokio.
///
/// # Cancellation
///
/// Dropping the handle leaves the task as it is, as of every task of tokio. What it says after the
/// call's Output is said of the nearest call above that is still open.
///
/// # Examples
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let call = timbal_core::call!("root", skip_output, async {
///     timbal_core::spawn(async { timbal_core::usage("files", 3) }).await
/// });
/// assert_eq!(call.collect().await.usage["files"], 3);
/// # });
/// ```
#[track_caller]
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    tokio::spawn(future.in_current())
}
