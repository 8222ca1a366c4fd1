//! `Lifecycle`: how every call starts, runs and ends, whatever its shape.

use std::any::Any;
use std::mem::ManuallyDrop;
use std::panic::{RefUnwindSafe, UnwindSafe, resume_unwind};
use std::task::{Context, Poll, ready};

use serde::Serialize;

use crate::capture::{self, Captured, Rules};
use crate::definition::Defined;
use crate::ending::{Ended, Ending};
use crate::held::Held;
use crate::item::Item;
use crate::made::{Made, Settings};
use crate::record::{Outcome, Record};
use crate::{
    CallError, ChunkEvent, OutputEvent, Payload, counting_allocator, current, installed, tell,
};

mod open;
mod settling;

use open::Open;
use settling::Settling;

/// One call's life. It says nothing before its first poll, then `Start`, any number of `Chunk`s,
/// and exactly one `Output`: at its end, or when it is dropped.
///
/// A shape owns one beside its body: it calls [`start`](Self::start) before it first runs the body,
/// runs each part of it by [`run`](Self::run), and says [`end`](Self::end) when it is over; when it
/// is dropped it drops the body by [`cancel`](Self::cancel).
pub(crate) struct Lifecycle {
    /// What a state holds has mostly been taken when the next one comes: `set` drops what is left.
    state: ManuallyDrop<State>,
}

enum State {
    /// Not polled yet.
    Made(Made),
    /// Nobody hears of it: nothing is captured, and no event is built.
    Unheard,
    /// Started, and not ended.
    Open(Open),
    /// Ended, and completes when its run is written.
    Settling(Box<Settling>),
    /// The record is kept where somebody asked for it.
    Ended(Option<Box<Record>>),
}

impl Lifecycle {
    /// A call of this runnable, made here and now.
    #[inline]
    pub(crate) fn new(definition: &'static Defined) -> Self {
        Self::of(State::Made(Made::new(definition)))
    }

    #[inline]
    fn of(state: State) -> Self {
        Self { state: ManuallyDrop::new(state) }
    }

    #[inline]
    fn set(&mut self, next: State) {
        if self.state.is_blank() {
            self.state = ManuallyDrop::new(next);
        } else {
            *self.state = next;
        }
    }

    /// What is asked for.
    ///
    /// # Panics
    ///
    /// After the first poll, where it would come too late.
    pub(crate) fn settings(&mut self) -> &mut Settings {
        match &mut *self.state {
            State::Made(made) => made.settings(),
            State::Unheard | State::Open(_) | State::Settling(_) | State::Ended(_) => {
                panic!("this call has started: what is asked of a call comes before its first poll")
            }
        }
    }

    /// The rules by which a value is captured that is given before the first poll.
    pub(crate) fn capture<T: Serialize>(&self, key: &str, value: &T) -> Payload {
        self.with_rules(|rules| capture::named(rules, key, value))
    }

    /// Captures the input before the first poll, if anybody will hear of the call.
    pub(crate) fn capture_input(&mut self, capture: impl FnOnce(&Rules) -> Option<Captured>) {
        if matches!(&*self.state, State::Made(made) if !made.is_unheard()) {
            let input = self.with_rules(capture);
            self.settings().input = input;
        }
    }

    fn with_rules<R>(&self, capture: impl FnOnce(&Rules) -> R) -> R {
        if let State::Made(made) = &*self.state {
            if let Some(intake) = made.recorder() {
                return capture(&intake.rules);
            }
            if let Some(parent) = made.parent() {
                return capture(parent.run().rules());
            }
        }
        let intake = installed::installed();
        capture(intake.as_ref().map_or(Rules::default_rules(), |intake| &intake.rules))
    }

    /// Says `Start`, once there is a place for it with every reader.
    #[inline]
    pub(crate) fn start(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let State::Made(made) = &mut *self.state else { return Poll::Ready(()) };
        if made.is_unheard() {
            self.set(State::Unheard);
            return Poll::Ready(());
        }
        ready!(tell::poll_place(made.readers_above(), cx));
        self.open();
        Poll::Ready(())
    }

    /// Says `Start` at once, also where it finds no place: code that is not `async` never waits.
    #[inline]
    pub(crate) fn start_now(&mut self) {
        let State::Made(made) = &*self.state else { return };
        if made.is_unheard() {
            self.set(State::Unheard);
        } else {
            self.open();
        }
    }

    /// The call starts.
    fn open(&mut self) {
        let State::Made(made) = &mut *self.state else { return };
        let is_kept = made.is_kept();
        let call = made.begin();
        if !call.definition().metadata.is_empty() {
            call.mask_metadata();
        }
        tell::start(&call);
        let clock = call.t0;
        // What was made has given away all that it had: there is nothing to drop.
        self.state = ManuallyDrop::new(State::Open(Open {
            call: Some(call),
            clock,
            busy_ns: 0,
            allocated: 0,
            polls: 0,
            is_kept,
            folded: None,
        }));
    }

    /// Runs a part of the body as the current call.
    ///
    /// # Panics
    ///
    /// If the body does: the call has ended then.
    #[inline]
    pub(crate) fn run<R>(&mut self, body: impl FnOnce() -> R) -> R {
        self.try_run(body).unwrap_or_else(|panic| resume_unwind(panic))
    }

    #[inline]
    fn try_run<R>(&mut self, body: impl FnOnce() -> R) -> Result<R, Box<dyn Any + Send>> {
        let State::Open(open) = &mut *self.state else { return Ok(run_unheard(body)) };
        open.polls = open.polls.saturating_add(1);
        open.run(body).inspect_err(|panic| self.end_by_panic(&**panic))
    }

    #[cold]
    fn end_by_panic(&mut self, panic: &(dyn Any + Send)) {
        let State::Open(open) = &*self.state else { return };
        let outcome = open.call().outcome_of_panic(CallError::from_panic(panic));
        self.finish(&mut outcome.into());
    }

    /// Waits until every reader has a place for one more event.
    #[inline]
    pub(crate) fn poll_place(&self, cx: &mut Context<'_>) -> Poll<()> {
        let State::Open(open) = &*self.state else { return Poll::Ready(()) };
        tell::poll_place(open.call().readers.as_deref(), cx)
    }

    /// The call gives an item; `probe` looks at it.
    #[inline]
    pub(crate) fn item(&mut self, probe: impl FnOnce(&mut Item<'_>)) {
        if let State::Open(open) = &mut *self.state {
            open.item(true, probe);
        }
    }

    /// The same in code that cannot wait: without a place it is left out, which is counted.
    #[inline]
    pub(crate) fn item_now(&mut self, probe: impl FnOnce(&mut Item<'_>)) {
        if let State::Open(open) = &mut *self.state {
            let has_place = tell::has_place(open.call());
            open.item(has_place, probe);
            if !has_place {
                tell::leave_out(open.call());
            }
        }
    }

    /// The item that was just given, if it is for who drives the call alone.
    pub(crate) fn take_chunk(&mut self) -> Option<ChunkEvent> {
        match &mut *self.state {
            State::Open(open) => open.take_chunk(),
            _ => None,
        }
    }

    pub(crate) fn has_started(&self) -> bool {
        !matches!(*self.state, State::Made(_))
    }

    /// The same life, for the handle that goes on with it.
    pub(crate) fn hand_over(&mut self) -> Self {
        Self::of(std::mem::replace(&mut *self.state, State::Ended(None)))
    }

    /// Ends the call; `probe` looks at what it ends with.
    #[inline]
    pub(crate) fn end(&mut self, probe: impl FnOnce(&mut Ending<'_>)) {
        let State::Open(open) = &*self.state else { return };
        // Nothing of it is left to drop: it is taken where it stands.
        let mut ended = ManuallyDrop::new(Ending::of(open.call(), probe));
        self.finish(&mut ended);
    }

    /// Drops the body of a call that has not ended, as the current call, and then ends it.
    #[inline]
    pub(crate) fn cancel(&mut self, drop_body: impl FnOnce()) {
        if let State::Open(_) = &*self.state {
            self.cancel_open(drop_body);
        }
    }

    #[cold]
    fn cancel_open(&mut self, drop_body: impl FnOnce()) {
        self.run(drop_body);
        if let State::Open(open) = &mut *self.state {
            open.polls -= 1; // that was none
        }
    }

    /// Drops the body of a call that took too long, as the current call, and ends it.
    #[cfg(feature = "tokio")]
    pub(crate) fn time_out(&mut self, drop_body: impl FnOnce()) {
        self.start_now(); // if it has not found a place in all that time
        if !matches!(*self.state, State::Open(_)) {
            return run_unheard(drop_body);
        }
        self.cancel(drop_body);
        self.finish(&mut Outcome::TimedOut.into());
    }

    /// What a call has ended with, if it was to be kept.
    pub(crate) fn output_event(&self) -> Option<OutputEvent> {
        match &*self.state {
            State::Ended(record) => record.as_deref().map(Record::output_event),
            State::Settling(settling) => settling.record.as_deref().map(Record::output_event),
            State::Made(_) | State::Unheard | State::Open(_) => None,
        }
    }

    fn drop_state(&mut self) {
        if let State::Open(open) = &mut *self.state {
            open.clock = open.call().run().now();
            self.finish(&mut Outcome::Dropped.into());
        }
        self.set(State::Unheard);
    }

    /// The one place where a call ends.
    fn finish(&mut self, Ended { outcome, output }: &mut Ended) {
        let State::Open(open) = &mut *self.state else { return };
        let held = open.call.take().expect("the body does not run");
        let call = &*held;
        if let Held::Shared(call) = &held {
            call.be_over();
        }
        let is_kept = open.is_kept;
        let is_dropped = matches!(outcome, Outcome::Dropped);
        if outcome.is_failure() {
            call.tell_failure(outcome);
        }
        let items = open.folded.take();
        let mut items = items.map(|items| items.end(outcome, call.run().rules()));
        let record = call.end(is_kept || tell::wants_end(call), |record| {
            call.write_counts(record);
            record.t1 = open.clock;
            record.busy_ns = open.busy_ns;
            record.polls = open.polls;
            // What is moved through here is taken where it stands: copied just after it was written,
            // the processor would have to wait until it is stored.
            record.outcome = Outcome::Success;
            if !matches!(outcome, Outcome::Success) {
                record.outcome = std::mem::replace(outcome, Outcome::Success);
            }
            if record.notes.is_some() {
                record.forget_failing();
            }
            if counting_allocator::is_counting() {
                record.notes.get_or_insert_default().allocated_bytes = Some(open.allocated);
            }
            if let Some(items) = &mut items {
                items.write(record);
            }
            // What a generator returns counts more than what it has yielded.
            if let Some(output) = output.take() {
                output.put(&mut record.output);
            }
        });
        self.state = ManuallyDrop::new(State::Ended(None)); // all of what was open is taken
        if let Some(record) = record {
            tell::end(call, &record);
            self.set(State::Ended(is_kept.then_some(record)));
        }
        if call.parent.is_none() && call.run().is_to_be_committed() && !is_dropped {
            self.begin_settling(call);
        }
        held.retire();
    }
}

// A body that panics has ended, whatever becomes of it: a handle is as safe to unwind as its body.
impl UnwindSafe for Lifecycle {}
impl RefUnwindSafe for Lifecycle {}

impl Drop for Lifecycle {
    #[inline]
    fn drop(&mut self) {
        if !matches!(&*self.state, State::Ended(None) | State::Unheard) {
            self.drop_state();
        }
    }
}

impl State {
    /// Whether there is nothing in it to drop.
    #[inline]
    fn is_blank(&self) -> bool {
        match self {
            Self::Made(made) => made.is_blank(),
            Self::Unheard => true,
            Self::Open(open) => open.call.is_none() && open.folded.is_none(),
            Self::Settling(_) => false,
            Self::Ended(record) => record.is_none(),
        }
    }
}

/// What nobody hears of is not to be taken for a part of the call around it.
#[inline]
fn run_unheard<R>(body: impl FnOnce() -> R) -> R {
    let _guard = current::hide();
    body()
}
