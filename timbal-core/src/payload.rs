//! `Payload`: a captured value, carried as the bytes of its JSON.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::ser::SerializeStruct;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::capture::{self, RAW_VALUE, Rules};
use crate::raw_json::RawJson;

/// A value captured as JSON: an input, an output or a chunk.
///
/// It is serialised once; clones share the text. What it holds is a record: values of secret keys
/// are `"***"`, a value of more than 1 MiB is `{"$cut":{"bytes":2097152,"head":"…"}}`, and what
/// could not be serialised is `{"$error":"…"}`. [`is_whole`](Self::is_whole) tells whether any of
/// these is in it.
///
/// # Limits
///
/// - Past 1 MiB of text a value is only counted: `head` is its first 1,024 bytes, `bytes` the size
///   of all of it. Strings are then counted without their escapes, and after 65,536 further
///   values `bytes` is what was counted until then.
/// - An array or object inside of 128 others is `{"$cut":{"bytes":null,"head":"["}}` or the same
///   with `"{"`: nobody counted it.
///
/// # Examples
///
/// ```
/// use timbal_core::Payload;
///
/// let payload = Payload::new(&vec![1, 2, 3]);
/// assert_eq!(payload.as_json(), "[1,2,3]");
/// assert_eq!(payload.get::<Vec<u8>>()?, [1, 2, 3]);
/// assert_eq!(payload, serde_json::json!([1, 2, 3]));
/// # Ok::<(), timbal_core::PayloadError>(())
/// ```
#[derive(Clone)]
pub struct Payload {
    text: Text,
}

/// 24 bytes, the least that a shared text and its marks take. The 21 of them that are free for a
/// short text spare numbers, flags and short strings, most of what is captured, an allocation.
#[derive(Clone)]
enum Text {
    Inline { len: u8, marks: Marks, bytes: [u8; INLINE_BYTES] },
    Shared { marks: Marks, text: Arc<str> },
}

/// The longest text of a payload that takes no memory besides itself.
pub(crate) const INLINE_BYTES: usize = 21;
const _: () = assert!(size_of::<Payload>() == 24);

impl Payload {
    /// Captures a value by the default rules.
    pub fn new<T: Serialize + ?Sized>(value: &T) -> Self {
        capture::value(Rules::default_rules(), value).into_payload()
    }

    /// The value `null`: what a call without a value has.
    pub const fn null() -> Self {
        let mut bytes = [0; INLINE_BYTES];
        (bytes[0], bytes[1], bytes[2], bytes[3]) = (b'n', b'u', b'l', b'l');
        Self { text: Text::Inline { len: 4, marks: Marks::NONE, bytes } }
    }

    /// A captured text, which is valid JSON, and what was put in place of values.
    pub(crate) fn from_captured(text: &str, marks: Marks) -> Self {
        let mut bytes = [0; INLINE_BYTES];
        match bytes.get_mut(..text.len()) {
            Some(start) => start.copy_from_slice(text.as_bytes()),
            None => return Self::long(text.into(), marks),
        }
        Self { text: Text::Inline { len: text.len() as u8, marks, bytes } }
    }

    /// Becomes the text of so many bytes, and those behind them: a copy of a fixed size takes a
    /// quarter of the time.
    ///
    /// They are written to where they stay. A payload that is made first and then moved there waits
    /// on the stack, in two parts that overlap: to read these back takes longer than all the rest.
    #[inline]
    pub(crate) fn become_short(&mut self, from: &[u8; INLINE_BYTES], size: u8, new: Marks) {
        if let Text::Shared { .. } = self.text {
            *self = Self::null();
        }
        if let Text::Inline { len, marks, bytes } = &mut self.text {
            (*len, *marks, *bytes) = (size, new, *from);
        }
    }

    /// The same of a text that is shared.
    pub(crate) fn long(text: Arc<str>, marks: Marks) -> Self {
        Self { text: Text::Shared { marks, text } }
    }

    /// Whether this is the value `null`.
    pub fn is_null(&self) -> bool {
        self.as_json() == "null"
    }

    /// Whether this is all of the value: nothing in it is cut, masked or failed.
    pub fn is_whole(&self) -> bool {
        self.marks() == Marks::NONE
    }

    /// The JSON text.
    pub fn as_json(&self) -> &str {
        match &self.text {
            Text::Inline { len, bytes, .. } => {
                str::from_utf8(&bytes[..usize::from(*len)]).expect("these bytes were a `str`")
            }
            Text::Shared { text, .. } => text,
        }
    }

    /// The value, read back as a `T`.
    ///
    /// # Errors
    ///
    /// A payload that is not whole gives no value, but says why; so does one that is no `T`.
    pub fn get<T: DeserializeOwned>(&self) -> Result<T, PayloadError> {
        let marks = self.marks();
        if marks.contains(Marks::MASKED) {
            return Err(PayloadError::Masked);
        } else if marks.contains(Marks::CUT) {
            return Err(PayloadError::Cut);
        } else if marks.contains(Marks::FAILED) {
            return Err(PayloadError::Failed);
        }
        match serde_json::from_str(self.as_json()) {
            // The text is JSON, so it is too deep for this way.
            Err(error) if error.is_syntax() => match parse_deep(self.as_json()) {
                Some(value) => T::deserialize(value).map_err(PayloadError::Json),
                None => Err(PayloadError::Json(error)),
            },
            result => result.map_err(PayloadError::Json),
        }
    }

    /// The value as `serde_json` has it, with the marks of what is cut, masked or failed.
    ///
    /// What it cannot hold, such as a number of 400 digits, is a string of the JSON text.
    pub fn to_value(&self) -> Value {
        let text = self.as_json();
        parse_deep(text).unwrap_or_else(|| Value::String(text.to_owned()))
    }

    /// How many bytes it takes besides itself, clones not counted.
    #[inline]
    pub(crate) fn heap_bytes(&self) -> usize {
        match &self.text {
            Text::Inline { .. } => 0,
            Text::Shared { text, .. } => text.len() + 2 * size_of::<usize>(),
        }
    }

    pub(crate) fn marks(&self) -> Marks {
        match self.text {
            Text::Inline { marks, .. } | Text::Shared { marks, .. } => marks,
        }
    }
}

/// Parses JSON text that is as deep as capture makes it, where `serde_json` takes 127 levels.
fn parse_deep(text: &str) -> Option<Value> {
    match serde_json::from_str(text) {
        Ok(value) => Some(value),
        // The marks of what is cut are two levels of their own.
        Err(_) if capture::depth(text) <= capture::MAX_DEPTH + 2 => peel(text),
        Err(_) => None,
    }
}

/// Parses JSON text level by level from outside, until what is left is not too deep.
fn peel(text: &str) -> Option<Value> {
    if let Ok(value) = serde_json::from_str(text) {
        return Some(value);
    }
    if text.starts_with('[') {
        let items: Vec<&RawValue> = serde_json::from_str(text).ok()?;
        items.into_iter().map(|item| peel(item.get())).collect()
    } else {
        let entries: BTreeMap<String, &RawValue> = serde_json::from_str(text).ok()?;
        let peeled = |(key, value): (_, &RawValue)| Some((key, peel(value.get())?));
        entries.into_iter().map(peeled).collect::<Option<_>>().map(Value::Object)
    }
}

impl Default for Payload {
    fn default() -> Self {
        Self::null()
    }
}

impl fmt::Display for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_json())
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN_BYTES: usize = 200;
        let text = self.as_json();
        let shown = &text[..text.floor_char_boundary(SHOWN_BYTES)];
        let rest = if shown.len() < text.len() { "…" } else { "" };
        write!(f, "Payload({shown}{rest})")
    }
}

impl PartialEq for Payload {
    fn eq(&self, other: &Self) -> bool {
        self.as_json() == other.as_json()
    }
}

impl Eq for Payload {}

impl PartialEq<Value> for Payload {
    fn eq(&self, other: &Value) -> bool {
        self.to_value() == *other
    }
}

/// Whether the payload is a JSON string of this content, as in `event.chunk == "Hello"`.
impl PartialEq<str> for Payload {
    fn eq(&self, other: &str) -> bool {
        let text = self.as_json();
        text.starts_with('"')
            && serde_json::from_str::<String>(text).is_ok_and(|text| text == other)
    }
}

/// Whether the payload is a JSON string of this content, as in `event.chunk == "Hello"`.
impl PartialEq<&str> for Payload {
    fn eq(&self, other: &&str) -> bool {
        *self == **other
    }
}

impl PartialEq<String> for Payload {
    fn eq(&self, other: &String) -> bool {
        *self == **other
    }
}

/// Whether the payload is this value, as in `done.output == 3`; the same types as of a [`Value`].
macro_rules! equals {
    ($($value:ty),*) => {$(
        impl PartialEq<$value> for Payload {
            fn eq(&self, other: &$value) -> bool {
                self.to_value() == *other
            }
        }
    )*};
}

equals!(bool, i8, i16, i32, i64, isize, u8, u16, u32, u64, usize, f32, f64);

/// Writes the text as it is, by the way of a [`RawValue`], but without its check.
impl Serialize for Payload {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut raw = serializer.serialize_struct(RAW_VALUE, 1)?;
        raw.serialize_field(RAW_VALUE, self.as_json())?;
        raw.end()
    }
}

impl<'de> Deserialize<'de> for Payload {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let RawJson(raw) = RawJson::deserialize(deserializer)?;
        Ok(Self::from_captured(raw.get(), capture::marks(raw.get())))
    }
}

/// Why a payload cannot be read back as a value.
#[derive(Debug)]
#[non_exhaustive]
pub enum PayloadError {
    /// A value in it has a secret key, or is a parameter that is not to be recorded.
    Masked,
    /// A value in it is larger or deeper than what is kept.
    Cut,
    /// A value in it could not be serialised; it holds `$error`.
    Failed,
    /// It is whole, but no value of the type that was asked for.
    Json(serde_json::Error),
}

impl fmt::Display for PayloadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Masked => f.write_str("the payload is masked"),
            Self::Cut => f.write_str("the payload is cut"),
            Self::Failed => f.write_str("the value could not be captured"),
            Self::Json(_) => f.write_str("the payload is not of this type"),
        }
    }
}

impl Error for PayloadError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Json(error) => Some(error),
            Self::Masked | Self::Cut | Self::Failed => None,
        }
    }
}

/// What stands in a payload in place of values.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Marks(u8);

impl Marks {
    pub(crate) const NONE: Self = Self(0);
    /// The value of a secret key is `"***"`.
    pub(crate) const MASKED: Self = Self(1);
    /// A value that is too large or too deep is `$cut`.
    pub(crate) const CUT: Self = Self(2);
    /// A value that could not be serialised is `$error`.
    pub(crate) const FAILED: Self = Self(4);

    pub(crate) fn add(&mut self, mark: Self) {
        self.0 |= mark.0;
    }

    pub(crate) fn contains(self, mark: Self) -> bool {
        self.0 & mark.0 != 0
    }
}
