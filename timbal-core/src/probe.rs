//! What the macro asks of a type that it cannot see: can it be captured, and is it a failure?

use std::error::Error;
use std::fmt::{self, Debug, Display, Write};
use std::marker::PhantomData;
use std::ops::Deref;

use serde::Serialize;

use crate::CallError;
use crate::call::Probe;
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
    ($output:expr) => {
        $crate::__private::probe_of($output).rung().found().split()($output)
    };
}
pub use crate::__split as split;

/// An output of which nothing is known yet. Rust looks for a method on a type as it stands, then on
/// what it derefs to, and so on: of the rungs below, the first that fits is taken.
///
/// Only methods of the types themselves are looked for, and none of traits: a build then looks up
/// less, and nothing has to be imported.
#[derive(Debug)]
pub struct Probed<T>(PhantomData<fn() -> T>);

/// An output of this type.
#[inline]
pub fn probe<T>() -> Probed<T> {
    Probed(PhantomData)
}

/// An output of the type of this one.
#[inline]
pub fn probe_of<T>(_: &T) -> Probed<T> {
    probe()
}

impl<T, E> Probed<Result<T, E>> {
    /// The rung from which it is looked for what its error can do.
    #[inline]
    pub fn rung(&self) -> IsError<T, E> {
        IsError(PhantomData)
    }
}

impl<T> Deref for Probed<T> {
    type Target = Plain<T>;

    #[inline]
    fn deref(&self) -> &Plain<T> {
        &Plain(PhantomData)
    }
}

/// An output that is no `Result`.
#[derive(Debug)]
pub struct Plain<T>(PhantomData<fn() -> T>);

impl<T> Plain<T> {
    /// Itself: there is nothing more to look for.
    #[inline]
    pub fn rung(&self) -> &Self {
        self
    }

    /// Itself.
    #[inline]
    pub fn found(&self) -> &Self {
        self
    }

    /// The value, and no error.
    #[inline]
    pub fn split(&self) -> Split<T, T> {
        |output| (Some(output), None)
    }

    /// What captures the output.
    #[inline]
    pub fn output(&self) -> Probe<T>
    where
        T: CaptureOutput,
    {
        |output, ending| ending.output(Some(output))
    }

    /// What says whether the call failed.
    #[inline]
    pub fn error(&self) -> Probe<T> {
        |_, _| {}
    }
}

/// What splits an output into the value, if there is one, and the error, if there is one.
type Split<T, V> = fn(&T) -> (Option<&V>, Option<CallError>);

/// A `Result`, and the rung on which it was found what its error can do.
#[derive(Debug)]
pub struct Failing<T, E, R>(PhantomData<(T, E, R)>);

impl<T, E, R: Rung<E>> Failing<T, E, R> {
    /// The value, or the error.
    #[inline]
    pub fn split(&self) -> Split<Result<T, E>, T> {
        |output| match output {
            Ok(value) => (Some(value), None),
            Err(error) => (None, Some(R::call_error(type_name::<E>(), error))),
        }
    }

    /// What captures the value, or says the error.
    #[inline]
    pub fn output(&self) -> Probe<Result<T, E>>
    where
        T: CaptureOutput,
    {
        |output, ending| {
            let (value, error) = Self(PhantomData).split()(output);
            ending.error(error);
            ending.output(value);
        }
    }

    /// What says whether the call failed.
    #[inline]
    pub fn error(&self) -> Probe<Result<T, E>> {
        |output, ending| ending.error(Self(PhantomData).split()(output).1)
    }
}

/// What an error can do.
pub trait Rung<E> {
    /// The error as it is recorded.
    fn call_error(name: String, error: &E) -> CallError;
}

macro_rules! rungs {
    ($(
        #[doc = $doc:literal]
        $rung:ident [$($bound:tt)*] $(or $next:ident)? => |$name:ident, $error:tt| $call_error:expr;
    )*) => { $(
        #[doc = $doc]
        #[derive(Debug)]
        pub struct $rung<T, E>(PhantomData<fn() -> (T, E)>);

        impl<'e, T, E: $($bound)*> $rung<T, E> {
            /// This is the rung.
            #[inline]
            pub fn found(&self) -> Failing<T, E, Self> {
                Failing(PhantomData)
            }
        }

        impl<'e, T, E: $($bound)*> Rung<E> for $rung<T, E> {
            fn call_error($name: String, $error: &E) -> CallError {
                $call_error
            }
        }

        $(
            impl<T, E> Deref for $rung<T, E> {
                type Target = $next<T, E>;

                #[inline]
                fn deref(&self) -> &$next<T, E> {
                    &$next(PhantomData)
                }
            }
        )?
    )* };
}

rungs! {
    /// Its error is an `Error`.
    IsError [Error] or IsShared => |name, error| CallError::from_error(name, error);
    /// `anyhow::Error`, `eyre::Report` and boxes are no `Error`, but have one.
    IsShared [AsRef<dyn Error + Send + Sync + 'e>] or IsSent => |name, error| {
        CallError::from_error(name, error.as_ref())
    };
    /// The same of what is no more than `Send`.
    IsSent [AsRef<dyn Error + Send + 'e>] or IsLocal => |name, error| {
        CallError::from_error(name, error.as_ref())
    };
    /// The same of what is not.
    IsLocal [AsRef<dyn Error + 'e>] or IsDisplay => |name, error| {
        CallError::from_error(name, error.as_ref())
    };
    /// Its error can be shown.
    IsDisplay [Display] or IsDebug => |name, error| {
        CallError::new(name, text(format_args!("{error}")))
    };
    /// Its error can be shown to who debugs.
    IsDebug [Debug] or IsUnknown => |name, error| {
        CallError::new(name, text(format_args!("{error:?}")))
    };
    /// Of its error nothing is known.
    IsUnknown [] => |name, _| CallError::new(name, "an error that cannot be shown");
}

/// What was written until the end, or until the error's own `fmt` failed.
fn text(error: fmt::Arguments<'_>) -> String {
    let mut text = String::new();
    let _ = text.write_fmt(error);
    text
}
