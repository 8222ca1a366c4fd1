//! `Faults`: what went wrong with a recorder, for those who look.

use std::fmt::Display;
use std::io::{self, Write as _};
use std::sync::{Mutex, PoisonError};

/// What last went wrong. What is new is also one line on standard error: a recorder has no other
/// place to say that it cannot record.
#[derive(Default)]
pub(crate) struct Faults(Mutex<Option<String>>);

impl Faults {
    /// Something failed, for the first time in a row or not. The same is not said twice.
    pub(crate) fn note(&self, error: impl Display, is_first: bool) {
        let error = error.to_string();
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if is_first && last.as_ref() != Some(&error) {
            say(&error);
        }
        *last = Some(error);
    }

    pub(crate) fn last(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Where there is no standard error, nobody hears it.
fn say(error: &str) {
    let _ = writeln!(io::stderr(), "timbal: {error}");
}
