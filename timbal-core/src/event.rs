//! `Event`: what a live call says, in Rust and on the wire.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::Value;

use crate::raw_json::RawJson;
use crate::{CallError, CallId, Payload, RunId, Status, Timestamp};

/// What a live call says: one `Start`, any number of `Chunk`s, exactly one `Output`.
///
/// On the wire an event is a JSON object whose `type` is `START`, `CHUNK` or `OUTPUT`. Keys that
/// are not known are passed over; an event of another type is read as [`Event::Other`].
///
/// # Examples
///
/// ```
/// # use timbal_core::Event;
/// let line = r#"{"type":"CHUNK","run_id":"0197f4a89c4b7d3ea1f00c5e8a6b2d41","parent_run_id":null,
///     "path":"greet","call_id":"00f067aa0ba902b7","parent_call_id":null,"chunk":"Hel"}"#;
/// let Event::Chunk(chunk) = serde_json::from_str(line)? else { panic!("a chunk") };
/// assert_eq!(chunk.chunk.get::<String>()?, "Hel");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Event {
    /// The call was polled for the first time.
    Start(StartEvent),
    /// The call said something on its way.
    Chunk(ChunkEvent),
    /// The call ended: it returned, failed, panicked or was dropped.
    Output(OutputEvent),
    /// An event of a type that this version does not know.
    Other(OtherEvent),
}

/// A call was polled for the first time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename = "START")]
#[non_exhaustive]
pub struct StartEvent {
    /// The run that the call belongs to.
    pub run_id: RunId,
    /// The run that this run goes on from.
    pub parent_run_id: Option<RunId>,
    /// The names of the calls from the root down, joined with `.`.
    pub path: String,
    /// The call.
    pub call_id: CallId,
    /// The call in which it was made; `None` of a root.
    pub parent_call_id: Option<CallId>,
}

/// A call said something on its way: an item of its stream, or what it emitted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename = "CHUNK")]
#[non_exhaustive]
pub struct ChunkEvent {
    /// The run that the call belongs to.
    pub run_id: RunId,
    /// The run that this run goes on from.
    pub parent_run_id: Option<RunId>,
    /// The names of the calls from the root down, joined with `.`.
    pub path: String,
    /// The call.
    pub call_id: CallId,
    /// The call in which it was made; `None` of a root.
    pub parent_call_id: Option<CallId>,
    /// What was said.
    pub chunk: Payload,
}

/// A call ended, with all that is known of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename = "OUTPUT")]
#[non_exhaustive]
pub struct OutputEvent {
    /// The run that the call belongs to.
    pub run_id: RunId,
    /// The run that this run goes on from.
    pub parent_run_id: Option<RunId>,
    /// The names of the calls from the root down, joined with `.`.
    pub path: String,
    /// The call.
    pub call_id: CallId,
    /// The call in which it was made; `None` of a root.
    pub parent_call_id: Option<CallId>,
    /// The captured parameters, an object; `null` if they were not to be captured.
    pub input: Payload,
    /// How the call ended.
    pub status: Status,
    /// What the call returned; of a `Result` the value of `Ok`, and `null` of an `Err`.
    pub output: Payload,
    /// What the call failed with.
    pub error: Option<CallError>,
    /// When the call started: its first poll.
    pub t0: Timestamp,
    /// When the call ended.
    pub t1: Timestamp,
    /// What the call and all calls below it used.
    pub usage: BTreeMap<String, u64>,
    /// What was said about this call, and the static metadata of its runnable.
    pub metadata: BTreeMap<String, Value>,
}

/// An event of a type that this version does not know, with all its keys.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OtherEvent {
    /// The event's type, as on the wire.
    #[serde(rename = "type")]
    pub kind: String,
    /// The run that the call belongs to.
    pub run_id: RunId,
    /// The run that this run goes on from.
    pub parent_run_id: Option<RunId>,
    /// The names of the calls from the root down, joined with `.`.
    pub path: String,
    /// The call.
    pub call_id: CallId,
    /// The call in which it was made; `None` of a root.
    pub parent_call_id: Option<CallId>,
    /// The event's other keys.
    #[serde(flatten)]
    pub fields: BTreeMap<String, Value>,
}

impl StartEvent {
    /// The start of a root call.
    pub fn new(run_id: RunId, call_id: CallId, path: impl Into<String>) -> Self {
        let path = path.into();
        Self { run_id, parent_run_id: None, path, call_id, parent_call_id: None }
    }
}

impl ChunkEvent {
    /// A chunk of the call that started so.
    pub fn new(start: StartEvent, chunk: Payload) -> Self {
        let StartEvent { run_id, parent_run_id, path, call_id, parent_call_id } = start;
        Self { run_id, parent_run_id, path, call_id, parent_call_id, chunk }
    }
}

impl OutputEvent {
    /// The successful end of the call that started so: no input, no output, no time passed.
    pub fn new(start: StartEvent, t0: Timestamp) -> Self {
        let StartEvent { run_id, parent_run_id, path, call_id, parent_call_id } = start;
        Self {
            run_id,
            parent_run_id,
            path,
            call_id,
            parent_call_id,
            input: Payload::null(),
            status: Status::success(),
            output: Payload::null(),
            error: None,
            t0,
            t1: t0,
            usage: BTreeMap::new(),
            metadata: BTreeMap::new(),
        }
    }

    /// The time from the call's first poll to its end.
    ///
    /// It is exact to the nanosecond in the process of the call; of an event that was read back
    /// from JSON, to the millisecond.
    pub fn elapsed(&self) -> Duration {
        self.t1 - self.t0
    }
}

/// The same field of whichever event it is.
macro_rules! field {
    ($event:expr, $field:ident) => {
        match $event {
            Event::Start(event) => &event.$field,
            Event::Chunk(event) => &event.$field,
            Event::Output(event) => &event.$field,
            Event::Other(event) => &event.$field,
        }
    };
}

impl Event {
    /// The run that the call belongs to.
    pub fn run_id(&self) -> RunId {
        *field!(self, run_id)
    }

    /// The run that this run goes on from.
    pub fn parent_run_id(&self) -> Option<RunId> {
        *field!(self, parent_run_id)
    }

    /// The names of the calls from the root down, joined with `.`.
    pub fn path(&self) -> &str {
        field!(self, path)
    }

    /// The call that says this.
    pub fn call_id(&self) -> CallId {
        *field!(self, call_id)
    }

    /// The call in which that call was made; `None` of a root.
    pub fn parent_call_id(&self) -> Option<CallId> {
        *field!(self, parent_call_id)
    }

    /// Whether no other call made the call that says this.
    pub fn is_root(&self) -> bool {
        self.parent_call_id().is_none()
    }
}

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Tag {
            #[serde(rename = "type")]
            kind: String,
        }

        // Payloads are kept as the text that they are; serde's own tagged enums cannot do that.
        let RawJson(text) = RawJson::deserialize(deserializer)?;
        let tag: Tag = serde_json::from_str(text.get()).map_err(de::Error::custom)?;
        match tag.kind.as_str() {
            "START" => serde_json::from_str(text.get()).map(Self::Start),
            "CHUNK" => serde_json::from_str(text.get()).map(Self::Chunk),
            "OUTPUT" => serde_json::from_str(text.get()).map(Self::Output),
            _ => serde_json::from_str(text.get()).map(Self::Other),
        }
        .map_err(de::Error::custom)
    }
}
