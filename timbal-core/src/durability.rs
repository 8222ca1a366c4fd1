//! `Durability`: what a call may rely on when it completes.

use std::time::Duration;

/// What may be relied on when the first call of a run completes.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use timbal_core::{Durability, Timbal};
///
/// let within = Duration::from_secs(1);
/// let timbal = Timbal::builder().durability(Durability::Committed { within }).build();
/// # futures::executor::block_on(async {
/// timbal_core::call!("root", async {}).recorded_by(&timbal).await;
/// # });
/// let health = timbal.health();
/// assert_eq!((health.written, health.uncommitted), (1, 0)); // with no flush
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Durability {
    /// Nothing: calls never wait for a store. What has ended is put into it within 100 milliseconds,
    /// if it keeps up.
    #[default]
    Background,
    /// Every span of the run that has ended by then is in every store.
    ///
    /// So the first call of a run completes later than its body: it says its Output, and then waits.
    /// If the stores have not answered in time it completes nevertheless, as it does if the queue was
    /// full, and [`Health::uncommitted`](crate::Health::uncommitted) counts it. Calls below wait for
    /// nothing, and neither does a call that is dropped.
    ///
    /// Streams, and calls whose value nobody takes, as of [`events`](crate::Call::events) and
    /// [`collect`](crate::Call::collect), are pending while they wait; any executor will do. Code that
    /// is not `async` waits on its thread. So does a [`Call`](crate::Call) that is awaited for its
    /// value: a value that need not be `Send` cannot be kept from one poll to the next in a call that
    /// is. What waits at the same time is put at once.
    Committed {
        /// How long it waits at most.
        within: Duration,
    },
}
