//! `Traceparent`: a call as the header that carries it to another process.

use std::fmt;
use std::str::FromStr;

use crate::{CallId, RunId};

/// A call, as the value of the HTTP header `traceparent` of
/// [W3C Trace Context](https://www.w3.org/TR/trace-context/#traceparent-header), level 1.
///
/// # Examples
///
/// ```
/// let header = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
/// let parent: timbal_core::Traceparent = header.parse()?;
/// assert_eq!(parent.call_id().to_string(), "00f067aa0ba902b7");
/// assert_eq!(parent.to_string(), header);
/// # Ok::<(), timbal_core::ParseTraceparentError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Traceparent {
    run_id: RunId,
    call_id: CallId,
    flags: u8,
}

impl Traceparent {
    /// The flag that says that the caller records its call.
    const SAMPLED: u8 = 1;

    /// The header that says: this call of this run, and it is recorded.
    pub fn new(run_id: RunId, call_id: CallId) -> Self {
        Self { run_id, call_id, flags: Self::SAMPLED }
    }

    /// The same header, that says whether the caller records its call.
    #[must_use]
    pub fn with_sampled(self, is_sampled: bool) -> Self {
        let flags =
            if is_sampled { self.flags | Self::SAMPLED } else { self.flags & !Self::SAMPLED };
        Self { flags, ..self }
    }

    /// The run: the header's trace id.
    pub fn run_id(&self) -> RunId {
        self.run_id
    }

    /// The call: the header's parent id.
    pub fn call_id(&self) -> CallId {
        self.call_id
    }

    /// Whether the caller says that it records its call.
    pub fn is_sampled(&self) -> bool {
        self.flags & Self::SAMPLED != 0
    }
}

impl fmt::Display for Traceparent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{}-{}-{:02x}", self.run_id, self.call_id, self.flags)
    }
}

/// A text that is no `traceparent`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ParseTraceparentError;

impl fmt::Display for ParseTraceparentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected `00-<32 hex digits>-<16 hex digits>-<2 hex digits>`, in lowercase")
    }
}

impl std::error::Error for ParseTraceparentError {}

impl FromStr for Traceparent {
    type Err = ParseTraceparentError;

    fn from_str(text: &str) -> Result<Self, ParseTraceparentError> {
        parse(text).ok_or(ParseTraceparentError)
    }
}

/// How long the parts are that we know, with the `-` between them.
const LENGTH: usize = 2 + 1 + 32 + 1 + 16 + 1 + 2;

fn parse(text: &str) -> Option<Traceparent> {
    let (known, rest) = text.split_at_checked(LENGTH)?;
    if known.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return None;
    }
    let mut parts = known.split('-');
    let version = hex_byte(parts.next()?)?;
    let run_id = parts.next()?.parse().ok()?;
    let call_id = parts.next()?.parse().ok()?;
    let flags = hex_byte(parts.next()?)?;
    // Of a later version the parts that we know are read, as the standard asks, whatever follows
    // them; 255 is no version.
    let is_whole = match version {
        0 => rest.is_empty(),
        u8::MAX => false,
        _ => rest.is_empty() || rest.starts_with('-'),
    };
    is_whole.then_some(Traceparent { run_id, call_id, flags })
}

fn hex_byte(text: &str) -> Option<u8> {
    let valid = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    valid.then(|| u8::from_str_radix(text, 16).ok()).flatten()
}
