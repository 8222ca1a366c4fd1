//! `RunSummary`: a run in few words.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Cursor, RunId, Span, Status, Timestamp, Trace};

/// A run in few words: what its first call says, and how many spans there are.
///
/// The first call is the one that no call made. Where that is not kept, it is the one that started
/// first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RunSummary {
    /// The run.
    pub run_id: RunId,
    /// The run that this run goes on from.
    pub parent_run_id: Option<RunId>,
    /// The path of its first call.
    pub path: String,
    /// How its first call ended.
    pub status: Status,
    /// When it started.
    pub t0: Timestamp,
    /// When its first call ended.
    pub t1: Timestamp,
    /// How long its first call took.
    pub elapsed_ns: u64,
    /// What all its calls used.
    pub usage: BTreeMap<String, u64>,
    /// How many of its spans are kept.
    pub spans: u64,
}

impl RunSummary {
    /// The summary of the run with this first call and so many spans.
    pub fn new(first: &Span, spans: u64) -> Self {
        Self {
            run_id: first.run_id,
            parent_run_id: first.parent_run_id,
            path: first.path.clone(),
            status: first.status.clone(),
            t0: first.t0,
            t1: first.t1,
            elapsed_ns: first.elapsed_ns,
            usage: first.usage.clone(),
            spans,
        }
    }

    /// The summary of the run with this trace; `None` if it has no spans.
    pub fn of(trace: &Trace) -> Option<Self> {
        let first = trace.spans.iter().min_by_key(|span| first_key(span))?;
        Some(Self::new(first, trace.spans.len() as u64))
    }

    /// How long its first call took.
    pub fn elapsed(&self) -> Duration {
        Duration::from_nanos(self.elapsed_ns)
    }

    /// The place of the run among all runs.
    pub fn cursor(&self) -> Cursor {
        Cursor::new(self.t0, self.run_id)
    }
}

/// The span for which this is least is that of the run's first call.
pub(crate) fn first_key(span: &Span) -> impl Ord + use<> {
    (span.parent_call_id.is_some(), span.t0, span.seq, span.call_id)
}
