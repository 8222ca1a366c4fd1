//! `Status`: how a call ended.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Status {
    /// How it ended, in one word.
    pub code: StatusCode,
    /// Why: of a cancelled call `dropped` or `early_exit`.
    pub reason: Option<String>,
    /// What the call itself says about it.
    pub message: Option<String>,
}

/// How a call ended, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum StatusCode {
    /// It returned a value that is no `Err`.
    Success,
    /// It returned an `Err`, or panicked.
    Error,
    /// It was dropped before its end, or said that there was nothing to do.
    Cancelled,
    /// It took longer than it was given.
    Timeout,
    /// It has not ended: so says the span of an open call, and never an Output event.
    Running,
    /// It had not ended when the process that made it did, or when its recorder went. So says a span,
    /// and never an Output event.
    Interrupted,
}

impl Status {
    /// The call returned a value that is no `Err`.
    pub fn success() -> Self {
        Self::from(StatusCode::Success)
    }

    /// The call was dropped before its end.
    pub fn dropped() -> Self {
        Self { reason: Some("dropped".to_owned()), ..Self::from(StatusCode::Cancelled) }
    }

    /// The call has not ended.
    pub fn running() -> Self {
        Self::from(StatusCode::Running)
    }

    /// The call had not ended when the process that made it did: what a [`Store`](crate::Store) says
    /// of a running call whose writer is gone.
    pub fn interrupted() -> Self {
        Self::from(StatusCode::Interrupted)
    }

    /// The call had nothing more to do, as it says.
    pub(crate) fn early_exit(message: &str) -> Self {
        let (reason, message) = (Some("early_exit".to_owned()), Some(message.to_owned()));
        Self { code: StatusCode::Cancelled, reason, message: message.filter(|it| !it.is_empty()) }
    }

    /// Whether the call returned a value that is no `Err`.
    pub fn is_success(&self) -> bool {
        self.code == StatusCode::Success
    }
}

impl From<StatusCode> for Status {
    fn from(code: StatusCode) -> Self {
        Self { code, reason: None, message: None }
    }
}

/// `success`, `cancelled (dropped)`, `cancelled (early_exit): nothing to do`.
impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.code.fmt(f)?;
        if let Some(reason) = &self.reason {
            write!(f, " ({reason})")?;
        }
        if let Some(message) = &self.message {
            write!(f, ": {message}")?;
        }
        Ok(())
    }
}

impl fmt::Display for StatusCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Success => "success",
            Self::Error => "error",
            Self::Cancelled => "cancelled",
            Self::Timeout => "timeout",
            Self::Running => "running",
            Self::Interrupted => "interrupted",
        })
    }
}
