//! `Folded`: what the items of a call come to, as they pass.

use std::any::Any;

use serde::Serialize;

use crate::capture::{self, HEAD_BYTES, Rules};
use crate::payload::Marks;
use crate::record::{Outcome, Record};
use crate::{Payload, Timestamp};

/// What the items of a call come to: its output, if they end here, and its error.
///
/// It is built while they pass, within the limit of a payload, and the items are not kept.
#[derive(Default)]
pub(crate) struct Folded {
    output: Output,
    /// How the call ends because of the first item that was an error.
    pub(crate) failure: Option<Outcome>,
    pub(crate) count: ItemCount,
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
    Text(Text),
    Own(Box<dyn Accumulator>),
    /// The function that folds has panicked.
    Failed(String),
}

/// How items are put together.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Join {
    /// A string of all of them.
    Concat,
    /// An array of all of them.
    List,
}

/// JSON text without its last character.
struct Text {
    join: Join,
    built: String,
    marks: Marks,
    /// How long the text would be, if it is too long: then `built` is but its head.
    cut: Option<usize>,
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
    pub(crate) fn write(self, record: &mut Record) {
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
    /// Adds an item to those that were before.
    pub(crate) fn join(&mut self, item: &str, marks: Marks, join: Join, rules: &Rules) {
        if let Output::Nothing = self.output {
            self.output = Output::Text(Text::new(join));
        }
        if let Output::Text(text) = &mut self.output {
            text.marks.add(marks);
            text.push(item, rules.max_bytes.unwrap_or(usize::MAX));
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
    pub(crate) fn fail(&mut self, message: String) {
        self.output = Output::Failed(message);
    }

    /// The output of the call; `None` of no items. If an item was an error, the call has failed: that
    /// counts more than how its reader left it, but less than a panic.
    #[cold]
    pub(crate) fn end(mut self, outcome: &mut Outcome, rules: &Rules) -> Option<Payload> {
        let failure = self.failure.take();
        if let (Outcome::Success | Outcome::Dropped, Some(failure)) = (&*outcome, failure) {
            *outcome = failure;
        }
        match self.output {
            Output::Nothing => None,
            Output::Text(text) => Some(text.finish(rules)),
            Output::Own(own) => Some(own.capture(rules)),
            Output::Failed(message) => Some(capture::failure(rules, &message).into_payload()),
        }
    }
}

impl Text {
    fn new(join: Join) -> Self {
        Self { join, built: String::new(), marks: Marks::NONE, cut: None }
    }

    fn push(&mut self, item: &str, limit: usize) {
        let is_first = self.built.is_empty();
        match (self.join, as_string(item)) {
            (Join::List, _) => {
                self.append(if is_first { "[" } else { "," }, limit);
                self.append(item, limit);
            }
            (Join::Concat, Some(content)) => {
                self.append(if is_first { "\"" } else { "" }, limit);
                self.append(content, limit);
            }
            (Join::Concat, None) => {
                self.append(if is_first { "\"" } else { "" }, limit);
                let quoted = Payload::new(item);
                self.append(as_string(quoted.as_json()).unwrap_or_default(), limit);
            }
        }
    }

    fn append(&mut self, piece: &str, limit: usize) {
        if let Some(bytes) = &mut self.cut {
            *bytes += piece.len();
        } else if self.built.len() + piece.len() < limit {
            self.built.push_str(piece);
        } else {
            self.cut = Some(self.built.len() + piece.len());
            let room = HEAD_BYTES.saturating_sub(self.built.len());
            self.built.push_str(&piece[..piece.floor_char_boundary(room)]);
            self.built.truncate(self.built.floor_char_boundary(HEAD_BYTES));
            self.built.shrink_to_fit();
        }
    }

    fn finish(mut self, rules: &Rules) -> Payload {
        if let Some(bytes) = self.cut {
            return capture::cut(rules, bytes + 1, &self.built).into_payload();
        }
        self.built.push(if self.join == Join::List { ']' } else { '"' });
        Payload::from_captured(&self.built, self.marks)
    }
}

/// What stands between the quotes, if this is a string.
fn as_string(json: &str) -> Option<&str> {
    json.strip_prefix('"')?.strip_suffix('"')
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
