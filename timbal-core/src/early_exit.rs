//! `EarlyExit`: the error of a call that has nothing more to do.

use std::fmt;

use crate::current;

/// The error of a call that has nothing more to do, which is no failure: the call ends `cancelled`,
/// for the reason `early_exit`, and says this.
///
/// It is known in every type that an error can be put in: a `Box<dyn Error>`, an `anyhow::Error`, an
/// error of one's own that has it as a source, or says what it says. A call that passes it on, as by
/// `?`, ends as this one does.
///
/// # Examples
///
/// ```
/// use timbal_core::EarlyExit;
///
/// fn first(words: &[&str]) -> Result<String, EarlyExit> {
///     words.first().map(ToString::to_string).ok_or_else(|| EarlyExit::new("no words"))
/// }
///
/// assert_eq!(first(&[]).unwrap_err().to_string(), "no words");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EarlyExit {
    message: String,
}

impl EarlyExit {
    /// The exit that says this.
    ///
    /// The current call remembers it, to know it again in whatever type it is put.
    pub fn new(message: impl Into<String>) -> Self {
        let message = message.into();
        current::with(|call| call.note_failing(|failing| failing.exit(&message)));
        Self { message }
    }
}

impl fmt::Display for EarlyExit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for EarlyExit {}

/// Returns an [`EarlyExit`](crate::EarlyExit) that says this, put in the error type of the function:
/// the call ends `cancelled`, for the reason `early_exit`.
///
/// # Examples
///
/// ```
/// use std::error::Error;
///
/// fn longest(words: &[&str]) -> Result<usize, Box<dyn Error>> {
///     if words.is_empty() {
///         timbal_core::bail!("{} words are nothing to do", words.len());
///     }
///     Ok(words.iter().map(|word| word.len()).max().unwrap_or(0))
/// }
///
/// assert_eq!(longest(&[]).unwrap_err().to_string(), "0 words are nothing to do");
/// ```
#[macro_export]
macro_rules! bail {
    ($($message:tt)*) => {
        return ::core::result::Result::Err(::core::convert::Into::into(
            $crate::EarlyExit::new(::std::format!($($message)*)),
        ))
    };
}
