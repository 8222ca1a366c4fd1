//! What the macro asks of a type that it cannot see: can it be captured, and is it a failure?

use std::error::Error;
use std::fmt::{self, Debug, Display, Write};

use serde::Serialize;

use crate::CallError;
use crate::type_name::type_name;

/// What a parameter must be able to do, unless it says `#[skip]` or `#[redact]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be captured as an input",
    label = "has no `serde::Serialize`",
    note = "derive `serde::Serialize` for it (of a type parameter, ask for it), or write `#[skip]` on the parameter"
)]
pub trait CaptureInput: Serialize {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + ?Sized> CaptureInput for T {}

/// What an output, of a `Result` its `Ok`, must be able to do, unless the runnable says `skip_output`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be captured as an output",
    label = "has no `serde::Serialize`",
    note = "derive `serde::Serialize` for it (of a type parameter, ask for it), or write `#[runnable(skip_output)]`"
)]
pub trait CaptureOutput: Serialize {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + ?Sized> CaptureOutput for T {}

/// What an item of a stream or an iterator, of a `Result` its `Ok`, must be able to do, unless the
/// runnable says `skip_output`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be captured as an item",
    label = "has no `serde::Serialize`",
    note = "derive `serde::Serialize` for it (of a type parameter, ask for it), or write `#[runnable(skip_output)]`"
)]
pub trait CaptureItem: Serialize {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + ?Sized> CaptureItem for T {}

/// Splits a `&T` into the value to record and the error to record, through every alias:
/// `(Option<&T>, None)`, or of a `&Result<T, E>` `(Option<&T>, Option<CallError>)`.
#[doc(hidden)]
#[macro_export]
macro_rules! __split {
    ($output:expr) => {{
        use $crate::__private::Split as _;
        (&&&&&&&&$crate::__private::Probe($output)).split_output()
    }};
}
pub use crate::__split as split;

/// An output of which nothing is known yet.
#[derive(Debug)]
pub struct Probe<'a, T>(pub &'a T);

/// What kind of output it is. Rust looks for a method on a type as it stands, then with one `&` less,
/// and so on: of the rungs below, the first that fits is taken.
pub trait Split<'a> {
    /// What is recorded as the output.
    type Value: 'a;

    /// The value, if there is one, and the error, if there is one.
    fn split_output(&self) -> (Option<&'a Self::Value>, Option<CallError>);
}

macro_rules! rungs {
    ($(($($refs:tt)*) [$($bound:tt)*] => $call_error:expr,)*) => { $(
        impl<'a, 'e, T, E: $($bound)*> Split<'a> for $($refs)* Probe<'a, Result<T, E>> {
            type Value = T;

            fn split_output(&self) -> (Option<&'a T>, Option<CallError>) {
                let call_error: fn(String, &E) -> CallError = $call_error;
                match self.0 {
                    Ok(value) => (Some(value), None),
                    Err(error) => (None, Some(call_error(type_name::<E>(), error))),
                }
            }
        }
    )* };
}

rungs! {
    (&&&&&&&) [Error] => |name, error| CallError::from_error(name, error),
    // `anyhow::Error`, `eyre::Report` and boxes are no `Error`, but have one.
    (&&&&&&) [AsRef<dyn Error + Send + Sync + 'e>] => |name, error| {
        CallError::from_error(name, error.as_ref())
    },
    (&&&&&) [AsRef<dyn Error + Send + 'e>] => |name, error| {
        CallError::from_error(name, error.as_ref())
    },
    (&&&&) [AsRef<dyn Error + 'e>] => |name, error| CallError::from_error(name, error.as_ref()),
    (&&&) [Display] => |name, error| CallError::new(name, text(format_args!("{error}"))),
    (&&) [Debug] => |name, error| CallError::new(name, text(format_args!("{error:?}"))),
    (&) [] => |name, _| CallError::new(name, "an error that cannot be shown"),
}

impl<'a, T> Split<'a> for Probe<'a, T> {
    type Value = T;

    fn split_output(&self) -> (Option<&'a T>, Option<CallError>) {
        (Some(self.0), None)
    }
}

/// What was written until the end, or until the error's own `fmt` failed.
fn text(error: fmt::Arguments<'_>) -> String {
    let mut text = String::new();
    let _ = text.write_fmt(error);
    text
}
