//! `Subscriber`: who hears every event as it happens.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::{CallError, Event};

/// Hears every event of the calls that its recorder records, as it happens, on the thread on which
/// it happens.
///
/// The call waits for it, so it must be quick; [`queued`](crate::queued()) runs one that is not on a
/// thread of its own. One that panics is cut off: it hears nothing more,
/// and [`Health::subscribers_cut_off`](crate::Health::subscribers_cut_off) counts it. A closure is
/// a subscriber.
///
/// What a subscriber calls is recorded, but no subscriber is told of it: it would never end.
///
/// # Examples
///
/// ```
/// use timbal_core::{Event, Timbal};
///
/// let timbal = Timbal::builder()
///     .subscriber(|event: &Event| println!("{} says something", event.path()))
///     .build();
/// # drop(timbal);
/// ```
pub trait Subscriber: Send + Sync + 'static {
    /// Hears one event.
    fn on_event(&self, event: &Event);

    /// Waits until it is done with all that it heard until now, but no longer than this; `false` if it
    /// is not. Only one that goes on with an event after [`on_event`](Self::on_event) has to say how.
    fn flush(&self, within: Duration) -> bool {
        let _ = within;
        true
    }

    /// How many events it has left out, of those that it was to hear.
    fn left_out(&self) -> u64 {
        0
    }

    /// Whether it has failed for good, other than by a panic in [`on_event`](Self::on_event).
    fn is_cut_off(&self) -> bool {
        false
    }
}

impl<F: Fn(&Event) + Send + Sync + 'static> Subscriber for F {
    fn on_event(&self, event: &Event) {
        self(event);
    }
}

thread_local! {
    /// Whether a subscriber of this thread hears something right now.
    static HEARS: Cell<bool> = const { Cell::new(false) };
}

/// Whether a subscriber of this thread hears something right now.
pub(crate) fn hears() -> bool {
    HEARS.get()
}

/// All that this thread does is a subscriber's.
pub(crate) fn hear_from_now_on() {
    HEARS.set(true);
}

/// Waits until all of them are done with what they heard, but no longer than until the deadline;
/// `false` if they are not.
pub(crate) fn flush_all(subscriptions: &[Subscription], deadline: Instant) -> bool {
    subscriptions.iter().fold(true, |are_done, Subscription { subscriber, .. }| {
        let within = deadline.saturating_duration_since(Instant::now());
        let flushed = catch_unwind(AssertUnwindSafe(|| subscriber.flush(within)));
        are_done & flushed.map_err(CallError::from_caught).unwrap_or(false)
    })
}

/// Tells one event to all of them.
pub(crate) fn tell_all(subscriptions: &[Subscription], event: &Event) {
    if subscriptions.is_empty() || HEARS.replace(true) {
        return;
    }
    for subscription in subscriptions {
        subscription.tell(event);
    }
    HEARS.set(false);
}

/// A subscriber, until it panics.
pub(crate) struct Subscription {
    subscriber: Box<dyn Subscriber>,
    is_cut_off: AtomicBool,
}

impl Subscription {
    pub(crate) fn new(subscriber: impl Subscriber) -> Self {
        Self { subscriber: Box::new(subscriber), is_cut_off: AtomicBool::new(false) }
    }

    pub(crate) fn is_cut_off(&self) -> bool {
        self.is_cut_off.load(Ordering::Relaxed)
    }

    /// The same, with what it says of itself.
    pub(crate) fn has_failed(&self) -> bool {
        let says = AssertUnwindSafe(|| self.subscriber.is_cut_off());
        self.is_cut_off() || catch_unwind(says).unwrap_or(true)
    }

    pub(crate) fn left_out(&self) -> u64 {
        catch_unwind(AssertUnwindSafe(|| self.subscriber.left_out())).unwrap_or(0)
    }

    fn tell(&self, event: &Event) {
        if self.is_cut_off() {
            return;
        }
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| self.subscriber.on_event(event))) {
            self.is_cut_off.store(true, Ordering::Relaxed);
            let _counted = CallError::from_caught(panic);
        }
    }
}
