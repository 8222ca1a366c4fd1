//! `current_recorder`: the recorder of the call that runs here, for what it wants to know of runs.

use crate::{Timbal, current, installed};

/// The recorder of the current call; outside of a call, the one that is installed. `None` if there is
/// none, or if it is gone.
///
/// So a call can go on from what an earlier run came to:
///
/// # Examples
///
/// ```
/// use timbal_core::{RunId, Timbal};
/// # use timbal_core::call;
///
/// async fn last_answer(run: RunId) -> Option<String> {
///     let trace = timbal_core::current_recorder()?.trace(run).await.ok()??;
///     trace.root()?.output.get().ok()
/// }
///
/// # futures::executor::block_on(async {
/// let timbal = Timbal::builder().build();
/// let first = call!("first", async { "forty-two" }).recorded_by(&timbal).collect().await;
/// let second = call!("second", async { last_answer(first.run_id).await });
/// let second = second.parent_run(first.run_id).recorded_by(&timbal);
/// assert_eq!(second.await.as_deref(), Some("forty-two"));
/// # });
/// ```
pub fn current_recorder() -> Option<Timbal> {
    let intake = current::with(|call| call.run().intake.clone()).flatten();
    Timbal::of(&*intake.or_else(installed::installed)?)
}
