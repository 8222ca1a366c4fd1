//! `queued`: a subscriber on a thread of its own.

use std::collections::VecDeque;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::subscriber::{self, Subscriber};
use crate::{CallError, Event};

/// Runs a subscriber on a thread of its own, so that calls need not wait for it.
///
/// At most `capacity` events wait for it, at least one. When there are that many, what happens is
/// left out for it, and counted: by [`Queued::left_out`] and in
/// [`Health::left_out`](crate::Health::left_out). If it panics it is cut off, as every subscriber is.
///
/// [`Timbal::flush`](crate::Timbal::flush), and the guard of an installed recorder when it is
/// dropped, wait until it has heard what was said before.
///
/// # Examples
///
/// ```
/// use timbal_core::{Event, Timbal, queued};
///
/// let slow = queued(|event: &Event| println!("{}", event.path()), 1_000);
/// let timbal = Timbal::builder().subscriber(slow.clone()).build();
/// # futures::executor::block_on(async {
/// timbal_core::call!("root", async {}).recorded_by(&timbal).await;
/// timbal.flush().await?;
/// assert_eq!(slow.left_out(), 0);
/// # Ok::<(), timbal_core::StoreError>(())
/// # }).unwrap();
/// ```
pub fn queued(subscriber: impl Subscriber, capacity: usize) -> Queued {
    let queue = Arc::new(Queue { capacity: capacity.max(1), ..Queue::default() });
    let own = Arc::clone(&queue);
    let thread = std::thread::Builder::new().name("timbal-subscriber".to_owned());
    if thread.spawn(move || own.serve(&subscriber)).is_err() {
        queue.lock().is_cut_off = true; // where no thread is to be had, all is left out
    }
    Queued(Arc::new(Sender(queue)))
}

/// A subscriber that hears on a thread of its own; see [`queued`]. Its clones are the same subscriber:
/// when the last is dropped, its thread ends as soon as it has heard what waits for it.
#[derive(Clone)]
pub struct Queued(Arc<Sender>);

impl Queued {
    /// How many events it was not told of: as too many waited for it, or as it was cut off.
    pub fn left_out(&self) -> u64 {
        self.0.0.lock().left_out
    }
}

impl Subscriber for Queued {
    fn on_event(&self, event: &Event) {
        self.0.0.push(event);
    }

    fn flush(&self, within: Duration) -> bool {
        self.0.0.wait_until_heard(within)
    }

    fn left_out(&self) -> u64 {
        Self::left_out(self)
    }

    fn is_cut_off(&self) -> bool {
        self.0.0.lock().is_cut_off
    }
}

impl fmt::Debug for Queued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queued").field("left_out", &self.left_out()).finish_non_exhaustive()
    }
}

/// Closes the queue when nobody says anything any more.
struct Sender(Arc<Queue>);

impl Drop for Sender {
    fn drop(&mut self) {
        self.0.lock().is_closed = true;
        self.0.waiting.notify_one();
    }
}

/// The events that wait for one subscriber.
#[derive(Default)]
struct Queue {
    capacity: usize,
    state: Mutex<State>,
    /// The subscriber waits here for something to hear.
    waiting: Condvar,
    /// Those who flush wait here for the subscriber.
    heard: Condvar,
}

#[derive(Default)]
struct State {
    events: VecDeque<Event>,
    /// Of all that ever entered, and of these it has heard.
    entered: u64,
    heard: u64,
    left_out: u64,
    is_cut_off: bool,
    is_closed: bool,
}

impl Queue {
    fn push(&self, event: &Event) {
        let has_place = |state: &State| state.events.len() < self.capacity && !state.is_cut_off;
        // The copy takes longer than the push: nobody waits for it.
        let event = has_place(&self.lock()).then(|| event.clone());
        let mut state = self.lock();
        match event.filter(|_| has_place(&state)) {
            Some(event) => {
                state.events.push_back(event);
                state.entered += 1;
                drop(state);
                self.waiting.notify_one();
            }
            None => state.left_out += 1,
        }
    }

    /// Tells the subscriber all that comes, until it panics or nothing more can come.
    fn serve(&self, subscriber: &dyn Subscriber) {
        subscriber::hear_from_now_on();
        let tell = |event: Event| subscriber.on_event(&event);
        while let Some(event) = self.next() {
            let told = catch_unwind(AssertUnwindSafe(|| tell(event)));
            let mut state = self.lock();
            state.heard += 1;
            if let Err(panic) = told {
                let unheard = std::mem::take(&mut state.events);
                state.left_out += unheard.len() as u64;
                state.is_cut_off = true;
                drop(state);
                let _counted = (unheard, CallError::from_caught(panic)); // dropped without the lock
                self.heard.notify_all();
                return;
            }
            drop(state);
            self.heard.notify_all();
        }
    }

    fn next(&self) -> Option<Event> {
        let is_idle = |state: &mut State| state.events.is_empty() && !state.is_closed;
        let waited = self.waiting.wait_while(self.lock(), is_idle);
        waited.unwrap_or_else(PoisonError::into_inner).events.pop_front()
    }

    /// Waits until the subscriber has heard what entered before now, or is cut off; `false` if it has
    /// not in that time.
    fn wait_until_heard(&self, within: Duration) -> bool {
        if subscriber::hears() {
            return true; // a subscriber that waits for itself, or for one that waits for it
        }
        let state = self.lock();
        let entered = state.entered;
        let is_behind = |state: &mut State| state.heard < entered && !state.is_cut_off;
        let waited = self.heard.wait_timeout_while(state, within, is_behind);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner).0;
        !is_behind(&mut state)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
