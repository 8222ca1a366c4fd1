//! `CallError`: what a call failed with, as it is recorded.

use std::error::Error;
use std::fmt;

use serde::{Deserialize, Serialize};

/// The most causes that are kept of one error: a `source()` that leads back to itself ends here.
const MAX_CAUSES: usize = 64;

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
        let causes = std::iter::successors(error.source(), |cause| cause.source())
            .take(MAX_CAUSES)
            .map(|cause| Cause { type_name: "dyn Error".into(), message: cause.to_string() })
            .collect();
        Self { causes, ..Self::new(type_name, error.to_string()) }
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

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.type_name, self.message)
    }
}

impl Error for CallError {}
