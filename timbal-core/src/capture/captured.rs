//! `Captured`: what was captured, on its way to where its payload is kept.

use super::text::Text;
use crate::payload::{INLINE_BYTES, Payload};

/// What was captured, on its way to where its payload is kept.
///
/// A short text is copied only there, when something else was done since it was written: at once,
/// the processor would have to wait until all of its bytes are stored. For the same reason it is
/// moved as one pointer.
pub(crate) struct Captured(Box<Text>);

impl Captured {
    #[inline]
    pub(super) fn new(mut text: Box<Text>) -> Self {
        if text.built().len() <= INLINE_BYTES {
            text.pad();
        } else {
            text.copy();
        }
        Self(text)
    }

    pub(crate) fn into_payload(self) -> Payload {
        let mut payload = Payload::null();
        self.put(&mut payload);
        payload
    }

    /// Writes the payload to where it is kept.
    #[inline(always)] // then what was there is known where it was written just before
    pub(crate) fn put(self, payload: &mut Payload) {
        let Self(mut text) = self;
        match text.copied.take() {
            None => payload.become_short(text.padded(), text.unpadded_len(), text.marks),
            Some(copy) => *payload = Payload::long(copy, text.marks),
        }
        text.give_back();
    }
}
