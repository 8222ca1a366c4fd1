//! `Failure`: why a value could not be written.

use std::any::Any;
use std::fmt::{self, Write as _};

use serde::ser::Error as _;

use super::text::HEAD_BYTES;

/// What `catch_unwind` gives.
pub(super) type Panic = Box<dyn Any + Send>;

/// Why a value is not written, at most [`HEAD_BYTES`] of it.
#[derive(Debug)]
pub(super) struct Failure(Box<str>);

impl Failure {
    pub(super) fn message(&self) -> &str {
        &self.0
    }

    /// What a panic says.
    pub(super) fn from_panic(panic: Panic) -> Self {
        match panic.downcast::<String>() {
            Ok(message) => Self::custom(format_args!("panicked: {message}")),
            Err(panic) => match panic.downcast_ref::<&str>() {
                Some(message) => Self::custom(format_args!("panicked: {message}")),
                None => {
                    // The drop of somebody's type could panic again.
                    std::mem::forget(panic);
                    Self::custom("panicked")
                }
            },
        }
    }
}

impl serde::ser::Error for Failure {
    fn custom<T: fmt::Display>(message: T) -> Self {
        let mut head = Head(String::new());
        // An error says that the rest does not fit, or that `message` gave up. The head stays.
        let _ = write!(head, "{message}");
        Self(head.0.into())
    }
}

impl std::error::Error for Failure {}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Takes the first [`HEAD_BYTES`] of what is written to it.
struct Head(String);

impl fmt::Write for Head {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        let room = HEAD_BYTES - self.0.len();
        self.0.push_str(&part[..part.floor_char_boundary(room)]);
        if part.len() > room { Err(fmt::Error) } else { Ok(()) }
    }
}
