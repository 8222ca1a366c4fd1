//! `Folded`: what the items of a call come to, as they pass.

use std::any::Any;

use serde::Serialize;

use crate::capture::{self, Join, Joined, Rules};
use crate::chunks::Chunks;
use crate::record::{Outcome, Record};
use crate::{CallError, Payload, Timestamp};

/// What the items of a call come to: its output, if they end here, and its error.
///
/// It is built while they pass, within the limit of a payload, and the items are not kept.
#[derive(Default)]
pub(crate) struct Folded {
    output: Output,
    /// How the call ends because of the first item that was an error.
    pub(crate) failure: Option<Outcome>,
    pub(crate) count: ItemCount,
    pub(crate) chunks: Chunks,
}

/// How many items a call has given. Only its handle counts them, and so without a lock; what runs in
/// the call counts chunks of its own.
#[derive(Clone, Copy, Default)]
pub(crate) struct ItemCount {
    items: u32,
    /// When it gave the first, if it gave one.
    first: Timestamp,
}

#[derive(Default)]
enum Output {
    #[default]
    Nothing,
    Joined(Joined),
    Own(Box<dyn Accumulator>),
    /// The function that folds has panicked.
    Failed(String),
}

impl ItemCount {
    /// One more, now.
    #[inline]
    pub(crate) fn add(&mut self, now: Timestamp) {
        if self.items == 0 {
            self.first = now;
        }
        self.items = self.items.saturating_add(1);
    }

    /// Writes the items to the chunks of a call.
    fn write(self, record: &mut Record) {
        if self.items == 0 {
            return;
        }
        let first_ns = self.first.nanos_since(record.t0) + 1;
        record.first_chunk_ns = match record.first_chunk_ns {
            0 => first_ns, // nothing that runs in the call has given one
            others => first_ns.min(others),
        };
        record.chunks = record.chunks.saturating_add(self.items);
    }
}

impl Folded {
    /// Adds a value to those that were before, if they come to a text or a list.
    #[inline]
    pub(crate) fn join<T: Serialize>(&mut self, rules: &Rules, value: &T, join: Join) {
        if let Output::Nothing = self.output {
            self.output = Output::Joined(Joined::new(join, rules));
        }
        match (&mut self.output, self.chunks.next()) {
            (Output::Joined(items), chunk) => items.add(rules, value, chunk),
            (_, Some(chunk)) => capture::value(rules, value).put(chunk),
            (_, None) => {}
        }
    }

    /// What a function of the user's makes of the items, its first is made here.
    pub(crate) fn own<A: Default + Serialize + Send + Sync + 'static>(&mut self) -> Option<&mut A> {
        if let Output::Nothing = self.output {
            self.output = Output::Own(Box::new(Own(A::default())));
        }
        let Output::Own(own) = &mut self.output else { return None };
        (&mut **own as &mut dyn Any).downcast_mut().map(|Own(own)| own)
    }

    /// There is no output, but why there is none.
    #[cold]
    pub(crate) fn fail(&mut self, panic: Box<dyn Any + Send>) {
        let message = format!("panicked: {}", CallError::from_caught(panic).message());
        self.output = Output::Failed(message);
    }

    /// What all of them came to. If an item was an error, the call has failed: that counts more than
    /// how its reader left it, but less than a panic.
    #[cold]
    pub(crate) fn end(mut self, outcome: &mut Outcome, rules: &Rules) -> Box<Total> {
        let failure = self.failure.take();
        if let (Outcome::Success | Outcome::Dropped, Some(failure)) = (&*outcome, failure) {
            *outcome = failure;
        }
        let output = match self.output {
            Output::Nothing => None,
            Output::Joined(items) => Some(items.finish(rules).into_payload()),
            Output::Own(own) => Some(own.capture(rules)),
            Output::Failed(message) => Some(capture::failure(rules, &message).into_payload()),
        };
        Box::new(Total { output, count: self.count })
    }
}

/// What all items of a call came to.
pub(crate) struct Total {
    /// `None` of no items.
    output: Option<Payload>,
    count: ItemCount,
}

impl Total {
    /// Writes it as the output of the call.
    #[cold]
    pub(crate) fn write(&mut self, record: &mut Record) {
        self.count.write(record);
        if let Some(output) = self.output.take() {
            record.output = output;
        }
    }
}

/// What a user's function makes of the items, whatever its type.
trait Accumulator: Any + Send + Sync {
    fn capture(&self, rules: &Rules) -> Payload;
}

struct Own<A>(A);

impl<A: Serialize + Send + Sync + 'static> Accumulator for Own<A> {
    fn capture(&self, rules: &Rules) -> Payload {
        capture::value(rules, &self.0).into_payload()
    }
}
