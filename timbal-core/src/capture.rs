//! `value` and `object`: capture what is serialised, within the rules of recording.
//!
//! One serializer does all of it: `writer.rs` keeps the rules and answers for what fails,
//! `serializer.rs` and `compound.rs` know the shapes of serde, `raw.rs` JSON that is text already,
//! `text.rs` the limit of size, `captured.rs` the way of the text to its payload, `joined.rs` values
//! that come one after another.

mod captured;
mod compound;
mod failure;
mod joined;
mod raw;
mod serializer;
#[cfg(test)]
mod tests;
mod text;
mod writer;

use std::sync::LazyLock;
use std::sync::atomic::AtomicU64;

use serde::Serialize;

use crate::mask::Masks;
use crate::payload::Payload;
use crate::probe::CaptureInput;
pub(crate) use captured::Captured;
pub(crate) use joined::{Join, Joined};
pub(crate) use raw::{RAW_VALUE, depth, marks};
use text::Text;
use writer::{Levels, Writer};

/// How many arrays and objects may be inside of each other, whatever the rules say: each is some
/// frames of the stack, 2 to 3 KiB in a debug build.
pub(crate) const MAX_DEPTH: usize = 256;

/// The same with the `Some`s and newtypes around them, which are no level of the text.
const MAX_NESTING: usize = 2 * MAX_DEPTH;

/// What is captured of values.
#[derive(Debug)]
pub(crate) struct Rules {
    /// The most bytes of text that a payload has, but for the marks of what was cut.
    pub(crate) max_bytes: Option<usize>,
    /// The most arrays and objects inside of each other, `MAX_DEPTH` at most.
    pub(crate) max_depth: Option<usize>,
    pub(crate) masks: Masks,
    /// How many values were too large or too deep.
    pub(crate) cut: AtomicU64,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            max_bytes: Some(1024 * 1024),
            max_depth: Some(128),
            masks: Masks::default(),
            cut: AtomicU64::new(0),
        }
    }
}

impl Rules {
    /// The rules where nobody made others.
    pub(crate) fn default_rules() -> &'static Self {
        static RULES: LazyLock<Rules> = LazyLock::new(Rules::default);
        &RULES
    }

    /// The most bytes of the text of one value.
    #[inline]
    fn limit(&self) -> usize {
        self.max_bytes.unwrap_or(usize::MAX)
    }

    /// The most arrays and objects inside of each other.
    #[inline]
    fn depth(&self) -> usize {
        self.max_depth.unwrap_or(MAX_DEPTH).min(MAX_DEPTH)
    }
}

/// Captures one value: an output, a chunk.
#[inline]
pub(crate) fn value<T: Serialize + ?Sized>(rules: &Rules, value: &T) -> Captured {
    let mut text = Text::take(rules.limit());
    Writer { text: &mut text, rules }.whole(value);
    Captured::new(text)
}

/// Captures the value of a key that stands somewhere else: it is masked if the key is.
pub(crate) fn named<T: Serialize + ?Sized>(rules: &Rules, key: &str, value: &T) -> Payload {
    if rules.masks.matches(key) {
        mark(rules, |writer| writer.mask()).into_payload()
    } else {
        self::value(rules, value).into_payload()
    }
}

/// What stands for a value that failed before it was captured.
pub(crate) fn failure(rules: &Rules, message: &str) -> Captured {
    mark(rules, |writer| writer.fail(message))
}

/// What stands for a value of this many bytes that begins like this, and was not kept.
pub(crate) fn cut(rules: &Rules, bytes: usize, head: &str) -> Captured {
    mark(rules, |writer| writer.cut(Some(bytes), head))
}

/// What stands for a value, whatever the limit.
fn mark(rules: &Rules, write: impl FnOnce(&mut Writer<'_>)) -> Captured {
    let mut text = Text::take(usize::MAX);
    write(&mut Writer { text: &mut text, rules });
    Captured::new(text)
}

/// Captures an object of the fields that `fill` adds: an input.
#[inline]
pub(crate) fn object(rules: &Rules, fill: impl FnOnce(&mut Fields<'_>)) -> Captured {
    // One byte is left for the last brace.
    let mut text = Text::take(rules.limit().saturating_sub(1));
    text.levels = Levels::FIELD;
    text.add("{");
    fill(&mut Fields { writer: Writer { text: &mut text, rules }, is_empty: true });
    text.add("}");
    Captured::new(text)
}

/// The fields of an object that is captured.
///
/// A key is that of JSON, with the comma before it and the colon behind, so that it is one piece. It
/// is a name of Rust, which needs no escapes.
pub struct Fields<'c> {
    writer: Writer<'c>,
    is_empty: bool,
}

impl Fields<'_> {
    /// Captures one field. If it does not fit, or fails, the others stay.
    #[inline(always)] // then all is known of its key but whether it is masked
    pub fn field<T: CaptureInput + ?Sized>(&mut self, key: &str, value: &T) {
        if self.writer.is_masked(&key[2..key.len() - 2]) {
            return self.redacted(key);
        }
        let key = self.next(key);
        self.writer.text.add(key);
        self.writer.by_ref().whole(value);
    }

    /// Adds a field whose value is not to be captured: it is `"***"`.
    #[inline(always)]
    pub fn redacted(&mut self, key: &str) {
        let key = self.next(key);
        self.writer.by_ref().redacted(key);
    }

    /// The key of the next field. Before the first there is no comma.
    #[inline(always)]
    fn next<'k>(&mut self, key: &'k str) -> &'k str {
        &key[usize::from(std::mem::take(&mut self.is_empty))..]
    }
}
