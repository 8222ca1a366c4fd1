//! `Span`: the record of one call, as stores keep it.

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{CallError, CallId, Definition, OutputEvent, Payload, RunId, Status, Timestamp};

/// The record of one call: its Output event, and what the call cost.
///
/// Its key is (`run_id`, `call_id`). `usage` holds what the calls below used, so only `usage_own`
/// may be summed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Span {
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
    /// The call's number in its run, in the order of starts, from 0.
    pub seq: u64,
    /// The time from the call's first poll to its end.
    pub elapsed_ns: u64,
    /// The time that the call was really running: the sum of its polls, calls below included.
    pub busy_ns: u64,
    /// How often it was polled. Of this, and of calls and chunks, no more than 4,294,967,295 are counted.
    pub polls: u64,
    /// How many calls below it ended before it did.
    pub calls: u64,
    /// How many chunks it emitted.
    pub chunks: u64,
    /// The time from the call's start to its first chunk.
    pub first_chunk_ns: Option<u64>,
    /// How many bytes its polls allocated, calls below included, and what recording them took; not
    /// what it gave back. `None` in a process that has no
    /// [`CountingAllocator`](struct@crate::CountingAllocator); then the key is left out on the wire.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allocated_bytes: Option<u64>,
    /// What the call itself used, without the calls below it.
    pub usage_own: BTreeMap<String, u64>,
    /// The runnable that was called.
    pub definition: Definition,
    /// The process in which it was called.
    pub process: Process,
    /// The version of this form; this one is [`Span::SCHEMA`].
    pub schema: u32,
}

impl Span {
    /// The version of the form of spans that this version of the crate writes.
    pub const SCHEMA: u32 = 1;

    /// The span of a call that ended so, of this runnable, in this process.
    ///
    /// # Examples
    ///
    /// ```
    /// # use timbal_core::*;
    /// # let (run, call) = (RunId::from_u128(1).unwrap(), CallId::from_u64(1).unwrap());
    /// let start = StartEvent::new(run, call, "greet");
    /// let done = OutputEvent::new(start, Timestamp::from_millis(0));
    /// let span = Span::new(done, Definition::new("greet"));
    /// assert_eq!((span.seq, span.calls), (0, 0));
    /// ```
    pub fn new(event: OutputEvent, definition: Definition) -> Self {
        let elapsed_ns = event.elapsed().as_nanos() as u64;
        Self {
            run_id: event.run_id,
            parent_run_id: event.parent_run_id,
            path: event.path,
            call_id: event.call_id,
            parent_call_id: event.parent_call_id,
            input: event.input,
            status: event.status,
            output: event.output,
            error: event.error,
            t0: event.t0,
            t1: event.t1,
            usage: event.usage,
            metadata: event.metadata,
            seq: 0,
            elapsed_ns,
            busy_ns: elapsed_ns,
            polls: 1,
            calls: 0,
            chunks: 0,
            first_chunk_ns: None,
            allocated_bytes: None,
            usage_own: BTreeMap::new(),
            definition,
            process: Process::current().clone(),
            schema: Self::SCHEMA,
        }
    }

    /// The last name of the path: the name of the runnable that was called.
    pub fn name(&self) -> &str {
        self.path.rsplit('.').next().unwrap_or(&self.path)
    }

    /// The time from the call's first poll to its end, to the nanosecond.
    pub fn elapsed(&self) -> Duration {
        Duration::from_nanos(self.elapsed_ns)
    }
}

/// The event that the call ended with.
impl From<Span> for OutputEvent {
    fn from(span: Span) -> Self {
        Self {
            run_id: span.run_id,
            parent_run_id: span.parent_run_id,
            path: span.path,
            call_id: span.call_id,
            parent_call_id: span.parent_call_id,
            input: span.input,
            status: span.status,
            output: span.output,
            error: span.error,
            t0: span.t0,
            t1: span.t1,
            usage: span.usage,
            metadata: span.metadata,
        }
    }
}

/// A process that makes calls.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Process {
    /// The file name of the program.
    pub program: String,
    /// The operating system's id of the process. It is given anew when the process has ended.
    pub pid: u32,
    /// When the process was first asked for, so that (`pid`, `since`) names it on its machine.
    pub since: Timestamp,
}

impl Process {
    /// This process.
    pub fn current() -> &'static Self {
        static CURRENT: OnceLock<Process> = OnceLock::new();
        CURRENT.get_or_init(|| {
            let program = std::env::current_exe().ok();
            let name = program.as_deref().and_then(|path| path.file_name());
            Self {
                program: name.map_or_else(String::new, |name| name.to_string_lossy().into_owned()),
                pid: std::process::id(),
                since: std::time::SystemTime::now().into(),
            }
        })
    }
}
