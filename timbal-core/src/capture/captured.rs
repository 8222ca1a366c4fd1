//! `Captured`: what was captured, on its way to where its payload is kept.

use std::sync::Arc;

use super::text::Text;
use crate::payload::{INLINE_BYTES, Marks, Payload};

/// What was captured, on its way to where its payload is kept.
///
/// A short text is copied only there, when something else was done since it was written: at once,
/// the processor would have to wait until all of its bytes are stored. For the same reason it is
/// moved as one pointer.
pub(crate) struct Captured(Box<Text>);

/// How a text ended.
pub(super) enum End {
    /// It has so many bytes, and padding.
    Short { len: u8, marks: Marks },
    /// This is a copy of it.
    Long { text: Arc<str>, marks: Marks },
}

impl Captured {
    #[inline]
    pub(super) fn new(mut text: Box<Text>, marks: Marks) -> Self {
        let len = text.len();
        text.end = if len <= INLINE_BYTES {
            text.pad();
            End::Short { len: len as u8, marks }
        } else {
            End::Long { text: text.built().into(), marks }
        };
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
        match text.end {
            End::Short { len, marks } => payload.become_short(text.padded(), len, marks),
            End::Long { .. } => *payload = text.take_long(),
        }
        text.give_back();
    }
}

impl Text {
    #[cold]
    fn take_long(&mut self) -> Payload {
        match std::mem::replace(&mut self.end, End::NONE) {
            End::Short { .. } => Payload::null(),
            End::Long { text, marks } => Payload::long(text, marks),
        }
    }
}

impl End {
    pub(super) const NONE: Self = Self::Short { len: 0, marks: Marks::NONE };
}
