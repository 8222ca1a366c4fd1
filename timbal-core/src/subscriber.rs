//! `Subscriber`: who hears every event as it happens.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::{CallError, Event};

/// Hears every event of the calls that its recorder records, as it happens, on the thread on which
/// it happens.
///
/// The call waits for it, so it must be quick. One that panics is cut off: it hears nothing more,
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
