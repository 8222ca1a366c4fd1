//! `CallError`: what a call failed with, as it is recorded.

use std::any::Any;
use std::error::Error;
use std::fmt::{self, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::{Deserialize, Serialize};

use crate::Definition;
use crate::path::Path;

/// The most causes that are kept of one error: a `source()` that leads back to itself ends here.
const MAX_CAUSES: usize = 64;

/// The most bytes that are kept of what one error says.
const MAX_TEXT: usize = 64 << 10;

/// What a call failed with: the type and message of its error, where it came from, and why.
///
/// `Display` is one line; [`traceback`](Self::traceback) is all of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallError {
    #[serde(rename = "type")]
    type_name: String,
    message: String,
    traceback: String,
    causes: Vec<Cause>,
}

/// One `source()` of an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Cause {
    /// The type as far as it is known: of a `dyn Error` it is not, then this is `dyn Error`.
    #[serde(rename = "type")]
    pub type_name: String,
    /// What its `Display` says.
    pub message: String,
}

impl CallError {
    /// An error of this type that says this.
    pub fn new(type_name: impl Into<String>, message: impl Into<String>) -> Self {
        let (type_name, message) = (type_name.into(), message.into());
        Self { type_name, message, traceback: String::new(), causes: Vec::new() }
    }

    /// An error of this type, with its message and its sources.
    pub fn from_error(type_name: impl Into<String>, error: &dyn Error) -> Self {
        let mut causes = Vec::new();
        let mut source = error.source();
        while let Some(cause) = source.filter(|_| causes.len() < MAX_CAUSES) {
            causes.push(Cause { type_name: "dyn Error".into(), message: text_of(cause) });
            source = cause.source();
        }
        Self { causes, ..Self::new(type_name, text_of(error)) }
    }

    /// The error that a panic was, which ends here.
    pub(crate) fn from_caught(panic: Box<dyn Any + Send>) -> Self {
        let error = Self::from_panic(&*panic);
        // A payload can be anything, and what its drop does too.
        if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(panic))) {
            std::mem::forget(again);
        }
        error
    }

    /// The error that a panic with this payload is recorded as.
    pub(crate) fn from_panic(payload: &(dyn Any + Send)) -> Self {
        let message = match payload.downcast_ref::<&str>() {
            Some(message) => message,
            None => payload.downcast_ref::<String>().map_or("a value that is no text", |text| text),
        };
        Self::new("panic", text_of(message))
    }

    /// The same error with its traceback: the call's own position, and what it failed with.
    pub(crate) fn located_at(mut self, path: &Path) -> Self {
        let Definition { file, line, column, .. } = path.definition;
        let mut text = String::from("Traceback (most recent call last):\n");
        let path = path.join();
        // Writing to a `String` cannot fail.
        let _ = writeln!(text, "  {file}:{line}:{column}, in {path}");
        let _ = write!(text, "{}: {}", self.type_name, self.message);
        if !self.causes.is_empty() {
            text.push_str("\nCaused by:");
        }
        for cause in &self.causes {
            let _ = write!(text, "\n  {}", cause.message);
        }
        self.traceback = text;
        self
    }

    /// About how many bytes of memory it takes.
    pub(crate) fn heap_bytes(&self) -> usize {
        let causes = self.causes.iter();
        let causes: usize = causes
            .map(|cause| size_of::<Cause>() + cause.type_name.len() + cause.message.len())
            .sum();
        let texts = self.type_name.len() + self.message.len() + self.traceback.len();
        size_of::<Self>() + texts + causes
    }

    /// The name of the error's type, as a user would write it: `std::io::Error`.
    pub fn type_name(&self) -> &str {
        &self.type_name
    }

    /// What the error's `Display` says.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The whole text: where the error came from, its type and message, and its causes.
    pub fn traceback(&self) -> &str {
        &self.traceback
    }

    /// The error's `source()`, the source's `source()`, and so on.
    pub fn causes(&self) -> &[Cause] {
        &self.causes
    }
}

/// What a `Display` says: the first 64 KiB of it, and `…` where there is more. If it panics, that.
pub(crate) fn text_of(display: impl fmt::Display) -> String {
    let mut text = Bounded(String::new());
    match catch_unwind(AssertUnwindSafe(|| write!(text, "{display}"))) {
        Ok(Ok(())) => {}
        Ok(Err(_)) => text.0.push('…'),
        Err(panic) => {
            let _fits = write!(text.0, "… ({})", CallError::from_caught(panic));
        }
    }
    text.0
}

/// Takes the first [`MAX_TEXT`] bytes of what is written to it.
struct Bounded(String);

impl fmt::Write for Bounded {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        let room = MAX_TEXT - self.0.len();
        self.0.push_str(&part[..part.floor_char_boundary(room)]);
        if part.len() > room { Err(fmt::Error) } else { Ok(()) }
    }
}

/// The type and the message, in one line.
impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.type_name)?;
        self.message.split_whitespace().try_for_each(|word| write!(f, " {word}"))
    }
}

impl Error for CallError {}
