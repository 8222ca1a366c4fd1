//! `CallError`: what a call failed with, as it is recorded.

use std::any::Any;
use std::borrow::Cow;
use std::error::Error;
use std::fmt::{self, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock};

use serde::ser::SerializeStruct;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::frames::Frames;
use crate::type_name::type_name_of;
use crate::{EarlyExit, Frame};

/// The most causes that are kept of one error: a `source()` that leads back to itself ends here.
const MAX_CAUSES: usize = 64;

/// The most bytes that are kept of what one error says.
const MAX_TEXT: usize = 64 << 10;

/// What [`EarlyExit`] is called.
const EXIT: &str = "timbal::EarlyExit";

/// What a call failed with: the type and message of its error, where it came from, and why.
///
/// `Display` is one line; [`traceback`](Self::traceback) is all of it. Its clones share what they say.
#[derive(Clone)]
pub struct CallError(Arc<Said>);

#[derive(Clone, Default)]
struct Said {
    type_name: String,
    message: String,
    causes: Vec<Cause>,
    frames: Frames,
    /// Built when it is first asked for, unless it is all that was read of the frames.
    traceback: OnceLock<String>,
    /// What it says if it is, or comes from, an [`EarlyExit`].
    exit: Option<String>,
}

/// One `source()` of an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Cause {
    /// The type, if it is one of the standard library's, of JSON, or timbal's own. Of others only that
    /// they are errors is known: then this is `dyn Error`.
    #[serde(rename = "type")]
    pub type_name: String,
    /// What its `Display` says.
    pub message: String,
}

impl CallError {
    /// An error of this type that says this.
    pub fn new(type_name: impl Into<String>, message: impl Into<String>) -> Self {
        let (type_name, message) = (type_name.into(), message.into());
        Self(Arc::new(Said { type_name, message, ..Said::default() }))
    }

    /// An error of this type, with its message and its sources.
    pub fn from_error(type_name: impl Into<String>, error: &dyn Error) -> Self {
        let (type_name, message) = (type_name.into(), text_of(error));
        let mut exit = (type_name == EXIT).then(|| message.clone());
        let mut causes = Vec::new();
        let mut source = error.source();
        while let Some(cause) = source.filter(|_| causes.len() < MAX_CAUSES) {
            if let (None, Some(found)) = (&exit, cause.downcast_ref::<EarlyExit>()) {
                exit = Some(found.to_string());
            }
            causes.push(Cause { type_name: type_name_of(cause), message: text_of(cause) });
            source = cause.source();
        }
        Self(Arc::new(Said { type_name, message, causes, exit, ..Said::default() }))
    }

    /// An [`EarlyExit`] that says this.
    pub(crate) fn of_exit(message: String) -> Self {
        Self::new(EXIT, message)
    }

    /// The error that a panic was, which ends here.
    pub(crate) fn from_caught(panic: Box<dyn Any + Send>) -> Self {
        let error = Self::from_panic(&*panic);
        // A payload can be anything, and what its drop does too.
        if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(panic))) {
            std::mem::forget(again);
        }
        error
    }

    /// The error that a panic with this payload is recorded as.
    pub(crate) fn from_panic(payload: &(dyn Any + Send)) -> Self {
        let message = panic_message(payload);
        Self::new("panic", message.unwrap_or_else(|| "a value that is no text".to_owned()))
    }

    /// The same error, which came from there.
    pub(crate) fn with_frames(self, frames: Frames) -> Self {
        let mut said = Arc::unwrap_or_clone(self.0);
        (said.frames, said.traceback) = (frames, OnceLock::new());
        Self(Arc::new(said))
    }

    /// Whether it, or one of its sources, says this among other things.
    pub(crate) fn says(&self, text: &str) -> bool {
        let causes = self.causes().iter().map(|cause| cause.message.as_str());
        let mut messages = std::iter::once(self.message()).chain(causes);
        messages.any(
            |message| if text.is_empty() { message.is_empty() } else { message.contains(text) },
        )
    }

    /// What it says if it is, or comes from, an [`EarlyExit`].
    pub(crate) fn exit(&self) -> Option<&str> {
        self.0.exit.as_deref()
    }

    /// Where it came from, to share it.
    pub(crate) fn all_frames(&self) -> &Frames {
        &self.0.frames
    }

    /// About how many bytes of memory it takes, with its traceback.
    pub(crate) fn heap_bytes(&self) -> usize {
        let Said { type_name, message, causes, frames, traceback, .. } = &*self.0;
        let own: usize =
            causes.iter().map(|cause| size_of::<Cause>() + cause.type_name.len()).sum();
        let said = message.len() + causes.iter().map(|cause| cause.message.len()).sum::<usize>();
        // What it says stands in the traceback once more. That it is not drawn yet makes no difference:
        // what was counted once is taken off again.
        let read =
            if frames.kept().is_empty() { traceback.get().map_or(0, String::len) } else { said };
        size_of::<Said>() + type_name.len() + own + said + frames.weight() + read
    }

    /// The name of the error's type, as a user would write it: `std::io::Error`.
    pub fn type_name(&self) -> &str {
        &self.0.type_name
    }

    /// What the error's `Display` says.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The whole text: where the error came from, its type and message, and its causes.
    pub fn traceback(&self) -> &str {
        self.0.traceback.get_or_init(|| self.0.draw())
    }

    /// Where the error came from: the places in the call that failed, from the outermost in, then those
    /// in the call from which that one had the error, and so on. Of more than 64 the first and the last
    /// 32 are kept.
    ///
    /// There are none of an error that was read back: then its traceback is what is known.
    pub fn frames(&self) -> &[Frame] {
        self.0.frames.kept()
    }

    /// How many frames are missing in the middle of [`frames`](Self::frames).
    pub fn missing_frames(&self) -> usize {
        self.0.frames.missing()
    }

    /// The error's `source()`, the source's `source()`, and so on.
    pub fn causes(&self) -> &[Cause] {
        &self.0.causes
    }
}

impl Said {
    /// The traceback; nothing of an error that no call has failed with.
    fn draw(&self) -> String {
        if self.frames.kept().is_empty() {
            return String::new();
        }
        let Self { type_name, message, causes, frames, .. } = self;
        let mut text =
            format!("Traceback (most recent call last):\n{frames}{type_name}: {message}");
        if !causes.is_empty() {
            text.push_str("\nCaused by:");
        }
        for cause in causes {
            text.push_str("\n  ");
            text.push_str(&cause.message);
        }
        text
    }
}

/// What the payload of a panic says, if it is of a type that says something.
fn panic_message(payload: &(dyn Any + Send)) -> Option<String> {
    macro_rules! first_of {
        ($($ty:ty),* $(,)?) => {
            None$(.or_else(|| payload.downcast_ref::<$ty>().map(text_of)))*
        };
    }
    first_of!(
        &'static str,
        String,
        Box<str>,
        Arc<str>,
        Cow<'static, str>,
        Box<dyn Error + Send + Sync>,
        Box<dyn Error + Send>,
        CallError,
        EarlyExit,
        std::io::Error,
        std::fmt::Error,
        bool,
        char,
        i8,
        i16,
        i32,
        i64,
        i128,
        isize,
        u8,
        u16,
        u32,
        u64,
        u128,
        usize,
        f32,
        f64,
    )
}

/// What a `Display` says: the first 64 KiB of it, and `…` where there is more. If it panics, that.
pub(crate) fn text_of(display: impl fmt::Display) -> String {
    let mut text = Bounded(String::new());
    match catch_unwind(AssertUnwindSafe(|| write!(text, "{display}"))) {
        Ok(Ok(())) => {}
        Ok(Err(_)) => text.0.push('…'),
        Err(panic) => {
            let _fits = write!(text.0, "… ({})", CallError::from_caught(panic));
        }
    }
    text.0
}

/// Takes the first [`MAX_TEXT`] bytes of what is written to it.
struct Bounded(String);

impl fmt::Write for Bounded {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        let room = MAX_TEXT - self.0.len();
        self.0.push_str(&part[..part.floor_char_boundary(room)]);
        if part.len() > room { Err(fmt::Error) } else { Ok(()) }
    }
}

/// The type and the message, in one line.
impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.type_name())?;
        self.message().split_whitespace().try_for_each(|word| write!(f, " {word}"))
    }
}

impl Error for CallError {}

impl fmt::Debug for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("CallError");
        debug.field("type_name", &self.type_name()).field("message", &self.message());
        debug.field("traceback", &self.traceback()).field("causes", &self.causes()).finish()
    }
}

/// They are equal if they say the same, in their tracebacks too.
impl PartialEq for CallError {
    fn eq(&self, other: &Self) -> bool {
        self.type_name() == other.type_name()
            && self.message() == other.message()
            && self.traceback() == other.traceback()
            && self.causes() == other.causes()
    }
}

impl Eq for CallError {}

impl Serialize for CallError {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut wire = serializer.serialize_struct("CallError", 4)?;
        wire.serialize_field("type", self.type_name())?;
        wire.serialize_field("message", self.message())?;
        wire.serialize_field("traceback", self.traceback())?;
        wire.serialize_field("causes", self.causes())?;
        wire.end()
    }
}

impl<'de> Deserialize<'de> for CallError {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename = "CallError")]
        struct Wire {
            r#type: String,
            message: String,
            traceback: String,
            causes: Vec<Cause>,
        }
        let Wire { r#type: type_name, message, traceback, causes } =
            Wire::deserialize(deserializer)?;
        let traceback = OnceLock::from(traceback);
        Ok(Self(Arc::new(Said { type_name, message, causes, traceback, ..Said::default() })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition;
    use crate::path::Path;

    #[test]
    fn its_weight_does_not_depend_on_who_looked_at_it() {
        let path = Path { definition: definition!("f"), name: None, above: None };
        let frames = Frames::new(vec![Frame::of_call(path)], None);
        let plain = CallError::new("Error", "a message");
        for error in [plain.clone(), plain.with_frames(frames)] {
            let before = error.heap_bytes();
            assert_eq!(error.traceback().is_empty(), error.frames().is_empty());
            assert_eq!(error.heap_bytes(), before);
        }
    }
}
