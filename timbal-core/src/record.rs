//! `Record`: what is known of one call, in few bytes.

use serde_json::Value;

use crate::frames::Frames;
use crate::notes::Notes;
use crate::path::Path;
use crate::{CallError, CallId, OutputEvent, Payload, RunId, Span, Status, StatusCode, Timestamp};

/// What is known of one call: while it is open, and as its span when it has ended. It holds nothing
/// of the recorder or of other calls but their names, so it can be kept for as long as one likes.
#[derive(Clone)]
pub(crate) struct Record {
    pub(crate) run_id: RunId,
    pub(crate) path: Path,
    pub(crate) id: CallId,
    pub(crate) seq: u64,
    pub(crate) t0: Timestamp,
    pub(crate) t1: Timestamp,
    pub(crate) busy_ns: u64,
    /// Since the start, plus one: zero says that there was none.
    pub(crate) first_chunk_ns: u64,
    pub(crate) polls: u32,
    pub(crate) calls: u32,
    pub(crate) chunks: u32,
    pub(crate) input: Payload,
    pub(crate) output: Payload,
    pub(crate) outcome: Outcome,
    pub(crate) notes: Option<Box<Notes>>,
}

/// How a call ended.
#[derive(Clone)]
pub(crate) enum Outcome {
    /// It has not ended, and the writer has seen it so often.
    Open {
        looks: u8,
    },
    Success,
    Error(CallError),
    /// It had nothing more to do.
    Exited(CallError),
    Dropped,
    #[cfg(feature = "tokio")]
    TimedOut,
    /// It had not ended when its recorder went.
    Interrupted,
}

const _: () = assert!(size_of::<Record>() <= 184, "they are kept by the million");

impl Record {
    /// What is known of a call that starts.
    #[inline]
    pub(crate) fn open((run_id, path, id): (RunId, Path, CallId), seq: u64, t0: Timestamp) -> Self {
        Self {
            run_id,
            path,
            id,
            seq,
            t0,
            t1: t0,
            busy_ns: 0,
            first_chunk_ns: 0,
            polls: 0,
            calls: 0,
            chunks: 0,
            input: Payload::null(),
            output: Payload::null(),
            outcome: Outcome::Open { looks: 0 },
            notes: None,
        }
    }

    /// About how many bytes of memory it takes.
    #[inline]
    pub(crate) fn weight(&self) -> usize {
        let payloads = self.input.heap_bytes() + self.output.heap_bytes();
        let notes = self.notes.as_deref().map_or(0, Notes::weight);
        size_of::<Self>() + payloads + notes + self.outcome.weight()
    }

    pub(crate) fn output_event(&self) -> OutputEvent {
        let mut event = OutputEvent::new(self.path.start_event(self.run_id, self.id), self.t0);
        event.t1 = self.t1;
        event.input = self.input.clone();
        event.status = self.outcome.status();
        event.output = self.output.clone();
        event.error = self.outcome.error().cloned();
        for (key, json) in self.path.definition.metadata {
            let value = serde_json::from_str(json).unwrap_or_else(|_| Value::from(*json));
            event.metadata.insert((*key).to_owned(), value);
        }
        if let Some(notes) = &self.notes {
            event.usage = notes.usage();
            let said = notes.metadata.iter().map(|(key, value)| (key.clone(), value.to_value()));
            event.metadata.extend(said);
        }
        event
    }

    /// The call has ended: what has failed in it is in its outcome, or was handled.
    #[cold]
    pub(crate) fn forget_failing(&mut self) {
        let Some(notes) = &mut self.notes else { return };
        notes.failing = None;
        if notes.is_empty() {
            self.notes = None;
        }
    }

    /// The call as stores keep it.
    pub(crate) fn span(&self) -> Span {
        let mut span = Span::new(self.output_event(), self.path.definition());
        span.seq = self.seq;
        span.busy_ns = self.busy_ns;
        span.polls = self.polls.into();
        span.calls = self.calls.into();
        span.chunks = self.chunks.into();
        span.first_chunk_ns = self.first_chunk_ns.checked_sub(1);
        if let Some(notes) = &self.notes {
            span.usage_own = notes.usage_own.clone();
            span.allocated_bytes = notes.allocated_bytes;
        }
        span
    }
}

impl Outcome {
    /// How often the writer has seen the call, if it has not ended.
    pub(crate) fn looks(&self) -> Option<u8> {
        match self {
            Self::Open { looks } => Some(*looks),
            _ => None,
        }
    }

    fn status(&self) -> Status {
        match self {
            Self::Open { .. } => Status::running(),
            Self::Success => Status::success(),
            Self::Error(_) => StatusCode::Error.into(),
            Self::Exited(exit) => Status::early_exit(exit.message()),
            Self::Dropped => Status::dropped(),
            #[cfg(feature = "tokio")]
            Self::TimedOut => StatusCode::Timeout.into(),
            Self::Interrupted => Status::interrupted(),
        }
    }

    fn error(&self) -> Option<&CallError> {
        match self {
            Self::Error(error) => Some(error),
            _ => None,
        }
    }

    /// What a call ended with that gave no value, and was not dropped.
    fn failure(&self) -> Option<&CallError> {
        match self {
            Self::Error(error) | Self::Exited(error) => Some(error),
            _ => None,
        }
    }

    pub(crate) fn is_failure(&self) -> bool {
        self.failure().is_some()
    }

    /// What the error says that the call gave.
    pub(crate) fn message(&self) -> Option<&str> {
        self.failure().map(CallError::message)
    }

    /// The same of a call that had nothing more to do.
    pub(crate) fn exit(&self) -> Option<&str> {
        self.message().filter(|_| matches!(self, Self::Exited(_)))
    }

    /// Where the error came from.
    pub(crate) fn frames(&self) -> Option<&Frames> {
        self.error().map(CallError::all_frames)
    }

    pub(crate) fn weight(&self) -> usize {
        self.failure().map_or(0, CallError::heap_bytes)
    }
}
