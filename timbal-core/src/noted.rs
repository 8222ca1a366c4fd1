//! `noted`: what each `?` of a runnable's body is about to look at.

use std::ops::ControlFlow;
use std::panic::Location;
use std::task::Poll;

use crate::current;
use crate::definition::Defined;
use crate::failing::Note;

/// What has a `?`.
#[diagnostic::on_unimplemented(
    message = "the `?` operator can only be applied to values that implement `Try`",
    label = "the `?` operator cannot be applied to type `{Self}`"
)]
pub trait Noted {
    /// Whether `?` would return.
    fn is_failing(&self) -> bool;
}

#[diagnostic::do_not_recommend]
impl<T, E> Noted for Result<T, E> {
    #[inline(always)]
    fn is_failing(&self) -> bool {
        self.is_err()
    }
}

#[diagnostic::do_not_recommend]
impl<T> Noted for Option<T> {
    #[inline(always)]
    fn is_failing(&self) -> bool {
        self.is_none()
    }
}

#[diagnostic::do_not_recommend]
impl<T, E> Noted for Poll<Result<T, E>> {
    #[inline(always)]
    fn is_failing(&self) -> bool {
        matches!(self, Poll::Ready(Err(_)))
    }
}

#[diagnostic::do_not_recommend]
impl<T, E> Noted for Poll<Option<Result<T, E>>> {
    #[inline(always)]
    fn is_failing(&self) -> bool {
        matches!(self, Poll::Ready(Some(Err(_))))
    }
}

#[diagnostic::do_not_recommend]
impl<B, C> Noted for ControlFlow<B, C> {
    #[inline(always)]
    fn is_failing(&self) -> bool {
        self.is_break()
    }
}

/// The operand of a `?` that stands in the body itself, as it is.
#[inline(always)]
#[track_caller]
pub fn noted<T: Noted>(operand: T, definition: &'static Defined, text: &'static str) -> T {
    if operand.is_failing() {
        note(definition, Location::caller(), text, (0, 0));
    }
    operand
}

/// The same of one that stands in a closure or an `async` block, or whose failure may come from one:
/// the number of the block around it, and what `Note` says of it.
#[inline(always)]
#[track_caller]
pub fn noted_in<T: Noted>(
    operand: T,
    definition: &'static Defined,
    text: &'static str,
    block: (u32, u64),
) -> T {
    if operand.is_failing() {
        note(definition, Location::caller(), text, block);
    }
    operand
}

/// An `Err(..)` that is returned, as it is.
#[inline(always)]
#[track_caller]
pub fn returned<T>(
    error: T,
    definition: &'static Defined,
    text: &'static str,
    block: (u32, u64),
) -> T {
    note(definition, Location::caller(), text, block);
    error
}

#[cold]
#[inline(never)]
fn note(
    definition: &'static Defined,
    location: &'static Location<'static>,
    text: &'static str,
    (block, flags): (u32, u64),
) {
    current::with(|call| {
        if call.is_of(definition) {
            let note = Note { location, text, block, flags };
            call.note_failing(|failing| failing.note(note));
        }
    });
}
