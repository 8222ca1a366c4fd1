//! `Writer`: writes values within the rules, as JSON that is valid whatever `Serialize` does.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;

use serde::Serialize;
use serde::ser::Error as _;

use super::captured::Captured;
use super::failure::{Failure, Panic};
use super::text::{HEAD_BYTES, Text};
use super::{MAX_DEPTH, MAX_NESTING, Rules};
use crate::payload::Marks;

/// How many values, keys of maps among them, are still counted after the first that does not fit.
const MAX_COUNTED: usize = 65_536;

/// Writes the values of one payload.
///
/// A value that fails or is too deep makes its `serialize` return an error. The nearest of our
/// functions that called it puts a mark in its place and goes on, in [`Writer::value`]. So a
/// `Serialize` gets an error back only if it breaks the protocol of serde, or to end it where
/// nothing more is counted.
pub(super) struct Writer<'r> {
    pub(super) text: Box<Text>,
    pub(super) marks: Marks,
    pub(super) levels: Levels,
    pub(super) max_depth: usize,
    rules: &'r Rules,
    /// Set on the way out of a value that is too deep: how its text begins.
    too_deep: Option<&'static str>,
    /// Whether the next string is JSON text.
    pub(super) is_raw: bool,
    /// The values since the text is full.
    counted: usize,
}

/// How deep a value is.
#[derive(Clone, Copy, Default)]
pub(super) struct Levels {
    /// The arrays and objects that are open.
    pub(super) depth: usize,
    /// These and the `Some`s and newtypes, which take of the stack as well.
    pub(super) nesting: usize,
}

/// Where a value began, to go back to if it fails.
#[derive(Clone, Copy)]
struct Place {
    len: usize,
    levels: Levels,
    marks: Marks,
}

impl<'r> Writer<'r> {
    #[inline]
    pub(super) fn new(rules: &'r Rules) -> Self {
        Self::on(Text::take(), rules)
    }

    /// The same, which goes on with this text.
    #[inline]
    pub(super) fn on(text: Box<Text>, rules: &'r Rules) -> Self {
        Self {
            text,
            marks: Marks::NONE,
            levels: Levels::default(),
            max_depth: rules.max_depth.unwrap_or(MAX_DEPTH).min(MAX_DEPTH),
            rules,
            too_deep: None,
            is_raw: false,
            counted: 0,
        }
    }

    #[inline]
    pub(super) fn finish(self) -> Captured {
        Captured::new(self.text, self.marks)
    }

    /// Writes a value that may panic, and that is cut if the text is longer than `limit` with it.
    pub(super) fn whole<T: Serialize + ?Sized>(&mut self, limit: usize, value: &T) {
        let start = self.place();
        self.text.limit(limit);
        let result = catch_unwind(AssertUnwindSafe(|| value.serialize(&mut *self)));
        if !matches!(result, Ok(Ok(()))) || self.text.len() > limit {
            self.mend(start, limit, result);
        }
        self.text.unlimit();
    }

    #[cold]
    fn mend(&mut self, start: Place, limit: usize, result: Result<Result<(), Failure>, Panic>) {
        let failure = result.map_or_else(
            |panic| {
                self.too_deep = None;
                Some(Failure::from_panic(panic))
            },
            Result::err,
        );
        if let Some(failure) = failure.filter(|_| !self.is_stopped()) {
            self.replace(start, &failure);
        }
        if self.text.len() > limit {
            let bytes = self.text.len() - start.len;
            let built = &self.text.built()[start.len..];
            let head = built[..built.floor_char_boundary(HEAD_BYTES)].to_owned();
            self.rewind(start);
            self.text.unlimit();
            self.cut(Some(bytes), &head);
        }
        self.counted = 0;
    }

    /// Writes a value inside of another.
    pub(super) fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Failure> {
        if self.text.is_full() {
            self.count()?;
        }
        let place = self.place();
        match value.serialize(&mut *self) {
            Ok(()) => Ok(()),
            Err(failure) if self.is_stopped() => Err(failure),
            Err(failure) => {
                self.replace(place, &failure);
                Ok(())
            }
        }
    }

    #[inline]
    fn place(&self) -> Place {
        Place { len: self.text.len(), levels: self.levels, marks: self.marks }
    }

    fn rewind(&mut self, place: Place) {
        self.text.rewind(place.len);
        (self.levels, self.marks) = (place.levels, place.marks);
        self.is_raw = false;
    }

    /// Puts in the place of a value what became of it.
    #[cold]
    fn replace(&mut self, place: Place, failure: &Failure) {
        self.rewind(place);
        match self.too_deep.take() {
            Some(head) => self.cut(None, head),
            None => self.fail(failure.message()),
        }
    }

    /// Writes the mark of a value that failed.
    pub(super) fn fail(&mut self, message: &str) {
        self.text.push(r#"{"$error":"#);
        self.text.string(&message[..message.floor_char_boundary(HEAD_BYTES)]);
        self.text.push("}");
        self.marks.add(Marks::FAILED);
    }

    /// Writes the mark of a value that is cut.
    pub(super) fn cut(&mut self, bytes: Option<usize>, head: &str) {
        self.text.push(r#"{"$cut":{"bytes":"#);
        match bytes {
            Some(bytes) => self.text.push(&bytes.to_string()),
            None => self.text.push("null"),
        }
        self.text.push(r#","head":"#);
        self.text.string(head);
        self.text.push("}}");
        self.marks.add(Marks::CUT);
        self.rules.cut.fetch_add(1, Ordering::Relaxed);
    }

    /// Writes the mark of a value that is masked.
    pub(super) fn mask(&mut self) {
        self.text.push(r#""***""#);
        self.marks.add(Marks::MASKED);
    }

    #[inline]
    pub(super) fn is_masked(&self, key: &str) -> bool {
        self.rules.masks.matches(key)
    }

    #[inline]
    pub(super) fn key(&mut self, is_first: bool, key: &str) {
        if !is_first {
            self.text.push(",");
        }
        self.text.string(key);
        self.text.push(":");
    }

    /// Counts a value that is not built. An error ends what may be endless.
    #[cold]
    pub(super) fn count(&mut self) -> Result<(), Failure> {
        self.counted += 1;
        if self.is_stopped() { Err(Failure::custom("the rest of it is cut")) } else { Ok(()) }
    }

    fn is_stopped(&self) -> bool {
        self.counted > MAX_COUNTED
    }

    /// Opens an array or object. What opens it must restore the levels.
    #[inline]
    pub(super) fn open(&mut self, bracket: &'static str) -> Result<(), Failure> {
        if self.levels.depth >= self.max_depth {
            return Err(self.too_deep(bracket));
        }
        self.nest(bracket)?;
        self.levels.depth += 1;
        self.is_raw = false;
        self.text.push(bracket);
        Ok(())
    }

    /// Opens an array or object, or writes a mark in the place of one that is too deep.
    pub(super) fn open_or_cut(&mut self, bracket: &'static str) -> bool {
        let is_open = self.open(bracket).is_ok();
        if let Some(head) = self.too_deep.take() {
            self.cut(None, head);
        }
        is_open
    }

    /// Goes a level deeper that is none of the text. Who does must restore it.
    #[inline]
    pub(super) fn nest(&mut self, head: &'static str) -> Result<(), Failure> {
        if self.levels.nesting >= MAX_NESTING {
            return Err(self.too_deep(head));
        }
        self.levels.nesting += 1;
        Ok(())
    }

    #[cold]
    fn too_deep(&mut self, head: &'static str) -> Failure {
        self.too_deep = Some(head);
        Failure::custom("too deep")
    }
}
