//! What the body of a call says about it: usage, metadata, chunks, and, by its expansion, its input.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use serde::Serialize;

use crate::capture::{self, Fields};
use crate::{current, tell};

/// Adds to what the current call used, and so to what every call above it used.
///
/// A sum that does not fit in 64 bits stays at the greatest number. Outside of a call it does
/// nothing.
///
/// # Examples
///
/// ```
/// timbal_core::usage("tokens", 150);
/// ```
pub fn usage(key: impl AsRef<str>, amount: u64) {
    current::with(|call| call.note(|notes| notes.add_usage(key.as_ref(), amount)));
}

/// Says something about the current call, and about no other. Said again, the later word counts.
///
/// Outside of a call it does nothing, and the value is not looked at.
///
/// # Examples
///
/// ```
/// timbal_core::metadata("model", "gpt-5");
/// ```
pub fn metadata<T: Serialize>(key: impl Into<String>, value: T) {
    current::with(|call| {
        let key = key.into();
        let value = capture::named(call.run().rules(), &key, &value);
        call.note(|notes| notes.set_metadata(key.clone(), value.clone()));
    });
}

/// Emits a chunk of the current call, and waits while a reader is too far behind to take it.
///
/// A chunk after the call's Output is one of the nearest call above that is still open. Outside of a
/// call it does nothing, and where nobody hears of it the value is not looked at.
///
/// # Cancellation
///
/// Dropped while it waits, it has emitted nothing.
///
/// # Examples
///
/// ```
/// # futures::executor::block_on(async {
/// timbal_core::emit("half of it is done").await;
/// # });
/// ```
pub fn emit<T: Serialize>(value: T) -> Emit<T> {
    Emit { value }
}

/// Emits a chunk of the current call, from code that cannot wait: `false` if a reader is too far
/// behind to take it.
///
/// Then the chunk is left out, and the call's Output says in its metadata how many were, by the key
/// `chunks_left_out`. It is `false` too where it is said too late: when the call and all calls above
/// it have ended. Outside of a call nothing is done and nothing left out, and where nobody hears of it
/// the value is not looked at.
///
/// # Examples
///
/// ```
/// assert!(timbal_core::try_emit("half of it is done"));
/// ```
pub fn try_emit<T: Serialize>(value: T) -> bool {
    let emitted = current::with(|call| {
        tell::try_chunk(call, || capture::value(call.run().rules(), &value).into_payload())
    });
    emitted.unwrap_or(true)
}

/// The future of [`emit`].
#[must_use = "a chunk is emitted when this is awaited"]
#[derive(Debug)]
pub struct Emit<T> {
    value: T,
}

impl<T> Unpin for Emit<T> {}

impl<T: Serialize> Future for Emit<T> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let emitted = current::with(|call| {
            let readers = call.nearest_open().and_then(|open| open.readers.as_deref());
            ready!(tell::poll_place(readers, cx));
            tell::chunk(call, || capture::value(call.run().rules(), &self.value).into_payload());
            Poll::Ready(())
        });
        emitted.unwrap_or(Poll::Ready(()))
    }
}

/// The current call has no parameters that are to be captured. Only its own expansion says this,
/// first of all.
#[inline]
pub fn no_input() {
    current::with(|call| call.set_input(None));
}

/// The current call's parameters. Only its own expansion says this, first of all.
#[inline]
pub fn input(fill: impl FnOnce(&mut Fields<'_>)) {
    current::with(|call| {
        let input = call.is_seen.then(|| capture::object(call.run().rules(), fill));
        call.set_input(input);
    });
}
