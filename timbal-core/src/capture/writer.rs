//! `Writer`: writes values within the rules, as JSON that is valid whatever `Serialize` does.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;

use serde::Serialize;
use serde::ser::Error as _;

use super::failure::{Failure, Panic};
use super::text::{HEAD_BYTES, Text};
use super::{MAX_NESTING, Rules};
use crate::payload::Marks;

/// How many values, keys of maps among them, are still counted after the first that does not fit.
const MAX_COUNTED: usize = 65_536;

/// Writes the values of one payload.
///
/// A value that fails or is too deep makes its `serialize` return an error. The nearest of our
/// functions that called it puts a mark in its place and goes on, in [`Writer::value`]. So a
/// `Serialize` gets an error back only if it breaks the protocol of serde, or to end it where
/// nothing more is counted.
pub(super) struct Writer<'w> {
    pub(super) text: &'w mut Text,
    pub(super) rules: &'w Rules,
}

/// How deep a value is: how many arrays and objects are open, and, in the upper half, these and the
/// `Some`s and newtypes, which take of the stack as well.
///
/// It is one number, as it is copied for every value: of two, the processor would have to wait until
/// both are stored.
#[derive(Clone, Copy, Default)]
pub(super) struct Levels(u32);

impl Levels {
    /// Those of a field of an object that is captured.
    pub(super) const FIELD: Self = Self(1);
    /// A `Some` or a newtype.
    const NEST: u32 = 1 << 16;
    /// An array or object.
    const OPEN: u32 = Self::NEST + 1;

    #[inline]
    pub(super) fn depth(self) -> usize {
        (self.0 % Self::NEST) as usize
    }

    #[inline]
    fn nesting(self) -> usize {
        (self.0 / Self::NEST) as usize
    }

    /// Leaves a `Some` or a newtype.
    #[inline]
    pub(super) fn leave(&mut self) {
        self.0 -= Self::NEST;
    }

    /// Leaves as many arrays and objects as this closes.
    #[inline]
    pub(super) fn close(&mut self, brackets: &str) {
        self.0 -= brackets.len() as u32 * Self::OPEN;
    }
}

/// Where a value began, to go back to if it fails.
#[derive(Clone, Copy)]
struct Place {
    len: usize,
    levels: Levels,
    marks: Marks,
}

impl Writer<'_> {
    /// The same writer, for a while.
    #[inline]
    pub(super) fn by_ref(&mut self) -> Writer<'_> {
        Writer { text: self.text, rules: self.rules }
    }

    /// Writes a value that may panic, and that is cut if the text is longer than its limit with it.
    pub(super) fn whole<T: Serialize + ?Sized>(mut self, value: &T) {
        self.text.begin();
        let (levels, marks) = (self.text.levels, self.text.marks);
        let result = catch_unwind(AssertUnwindSafe(|| value.serialize(self.by_ref())));
        if !matches!(result, Ok(Ok(()))) || !self.text.fits() {
            self.mend((levels, marks), result);
        }
    }

    #[cold]
    fn mend(
        &mut self,
        (levels, marks): (Levels, Marks),
        result: Result<Result<(), Failure>, Panic>,
    ) {
        let start = Place { len: self.text.start(), levels, marks };
        let failure = result.map_or_else(
            |panic| {
                self.text.too_deep = None;
                Some(Failure::from_panic(panic))
            },
            Result::err,
        );
        if let Some(failure) = failure.filter(|_| !self.is_stopped()) {
            self.replace(start, &failure);
        }
        if self.text.is_too_long() {
            let bytes = self.text.len() - start.len;
            let built = &self.text.built()[start.len..];
            let head = built[..built.floor_char_boundary(HEAD_BYTES)].to_owned();
            self.rewind(start);
            self.text.unlimit();
            self.cut(Some(bytes), &head);
        }
        self.text.limit();
        self.text.counted = 0;
    }

    /// Writes a value inside of another.
    pub(super) fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Failure> {
        if self.text.is_full() {
            self.count()?;
        }
        let place = self.place();
        match value.serialize(self.by_ref()) {
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
        Place { len: self.text.len(), levels: self.text.levels, marks: self.text.marks }
    }

    fn rewind(&mut self, place: Place) {
        self.text.rewind(place.len);
        (self.text.levels, self.text.marks) = (place.levels, place.marks);
        self.text.is_raw = false;
    }

    /// Puts in the place of a value what became of it.
    #[cold]
    fn replace(&mut self, place: Place, failure: &Failure) {
        self.rewind(place);
        match self.text.too_deep.take() {
            Some(head) => self.cut(None, head),
            None => self.fail(failure.message()),
        }
    }

    /// Writes the mark of a value that failed.
    pub(super) fn fail(&mut self, message: &str) {
        self.text.push(r#"{"$error":"#);
        self.text.string(&message[..message.floor_char_boundary(HEAD_BYTES)]);
        self.text.push("}");
        self.text.marks.add(Marks::FAILED);
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
        self.text.marks.add(Marks::CUT);
        self.rules.cut.fetch_add(1, Ordering::Relaxed);
    }

    /// Writes the mark of a value that is masked.
    pub(super) fn mask(&mut self) {
        self.text.push(r#""***""#);
        self.text.marks.add(Marks::MASKED);
    }

    /// Writes a field that is masked, whatever the limit.
    #[cold]
    pub(super) fn redacted(mut self, key: &str) {
        self.text.unlimit();
        self.text.push(key);
        self.mask();
        self.text.limit();
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
        self.text.counted += 1;
        if self.is_stopped() { Err(Failure::custom("the rest of it is cut")) } else { Ok(()) }
    }

    fn is_stopped(&self) -> bool {
        self.text.counted > MAX_COUNTED
    }

    /// Opens an array or object. What opens it must restore the levels.
    #[inline]
    pub(super) fn open(&mut self, bracket: &'static str) -> Result<(), Failure> {
        let levels = &mut self.text.levels;
        if levels.depth() >= self.rules.depth() || levels.nesting() >= MAX_NESTING {
            return Err(self.too_deep(bracket));
        }
        levels.0 += Levels::OPEN;
        self.text.is_raw = false;
        self.text.push(bracket);
        Ok(())
    }

    /// Opens an array or object, or writes a mark in the place of one that is too deep.
    pub(super) fn open_or_cut(&mut self, bracket: &'static str) -> bool {
        let is_open = self.open(bracket).is_ok();
        if let Some(head) = self.text.too_deep.take() {
            self.cut(None, head);
        }
        is_open
    }

    /// Goes a level deeper that is none of the text. Who does must restore it.
    #[inline]
    pub(super) fn nest(&mut self, head: &'static str) -> Result<(), Failure> {
        if self.text.levels.nesting() >= MAX_NESTING {
            return Err(self.too_deep(head));
        }
        self.text.levels.0 += Levels::NEST;
        Ok(())
    }

    #[cold]
    fn too_deep(&mut self, head: &'static str) -> Failure {
        self.text.too_deep = Some(head);
        Failure::custom("too deep")
    }
}
