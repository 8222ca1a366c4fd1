//! `Store`: what keeps traces and gives them back.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

#[cfg(doc)]
use crate::StatusCode;
use crate::record::Record;
use crate::{
    CallError, CallId, Filter, Page, Prune, Pruned, RunId, Span, Stats, StatsQuery, Trace,
};

/// Keeps traces and gives them back.
///
/// Its methods may block: they are called on the recorder's own threads, [`put`](Self::put) on one
/// and the others on another. One that panics has failed, no more. What they call there is not
/// recorded by the recorder of the process: it would never end.
///
/// A store that only keeps traces needs no more than [`put`](Self::put) and [`trace`](Self::trace):
/// what else it is asked is then [`StoreError::Unsupported`].
///
/// # Writing one
///
/// [`Page::collect`], [`RunSummary`](crate::RunSummary), [`Tally`](crate::Tally) and
/// [`TextSearch`](crate::TextSearch) do what is the same for all stores.
///
/// # Calls that have not ended
///
/// A call that has been open for a second is put as a span that is [`Running`](StatusCode::Running),
/// with its open parents; when it ends, its span replaces that one. Should the process be killed
/// before, it never does. So a store that outlives its process
///
/// - takes a lock of its own before it keeps its first running span, and holds it for as long as it
///   lives: an exclusive lock on a file beside its data, or an advisory lock in a database. The
///   operating system, or the database, gives it back when the process is gone, however it went;
/// - keeps with each running span which lock that was;
/// - gives a running span whose lock is free as [`Interrupted`](StatusCode::Interrupted), wherever it
///   is read, listed or counted. Process ids and clocks cannot tell: both are given anew.
///
/// A store that is gone with its process, as the one in memory is, needs none of this: a recorder that
/// goes in an orderly way puts the calls that are still open as interrupted itself.
pub trait Store: Send + Sync + 'static {
    /// Keeps these spans, all or none. A span whose key (`run_id`, `call_id`) is there replaces it.
    ///
    /// # Errors
    ///
    /// If they could not be kept. The recorder then tries again, later and with the same batch.
    fn put(&self, batch: &Batch) -> Result<(), StoreError>;

    /// All kept spans of a run; `None` if there are none.
    ///
    /// # Errors
    ///
    /// If the store could not be read.
    fn trace(&self, run_id: RunId) -> Result<Option<Trace>, StoreError>;

    /// The runs that a filter asks for, the newest first: in the order of their
    /// [cursors](crate::Cursor), backwards.
    ///
    /// # Errors
    ///
    /// If the store could not be read, or does not answer such questions.
    fn runs(&self, _filter: &Filter) -> Result<Page, StoreError> {
        Err(StoreError::Unsupported("runs"))
    }

    /// How often paths were called, how long that took, and what it used.
    ///
    /// # Errors
    ///
    /// If the store could not be read, or does not answer such questions.
    fn stats(&self, _query: &StatsQuery) -> Result<Stats, StoreError> {
        Err(StoreError::Unsupported("stats"))
    }

    /// The paths of all spans, each once, in order.
    ///
    /// # Errors
    ///
    /// If the store could not be read, or does not answer such questions.
    fn paths(&self) -> Result<Vec<String>, StoreError> {
        Err(StoreError::Unsupported("paths"))
    }

    /// Lets go of runs, each with all its spans.
    ///
    /// # Errors
    ///
    /// If the store could not let go of them, or never does. Some of them may be gone.
    fn prune(&self, _prune: &Prune) -> Result<Pruned, StoreError> {
        Err(StoreError::Unsupported("prune"))
    }
}

/// Spans on their way to a store.
#[derive(Default)]
pub struct Batch {
    items: Vec<Item>,
    weight: usize,
}

/// A span, as its call left it or as it was read somewhere. Cheap to clone.
#[derive(Clone)]
pub(crate) enum Item {
    Call(Record),
    Span(Arc<Span>),
}

impl Batch {
    pub(crate) fn push(&mut self, record: Record) {
        let item = Item::Call(record);
        self.weight += item.weight();
        self.items.push(item);
    }

    /// How many spans there are.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The spans, in the order in which their calls ended.
    pub fn spans(&self) -> impl ExactSizeIterator<Item = Span> {
        self.items.iter().map(Item::span)
    }

    pub(crate) fn items(&self) -> &[Item] {
        &self.items
    }

    /// About how many bytes of memory they take.
    pub(crate) fn weight(&self) -> usize {
        self.weight
    }
}

impl FromIterator<Span> for Batch {
    fn from_iter<I: IntoIterator<Item = Span>>(spans: I) -> Self {
        let items: Vec<_> = spans.into_iter().map(|span| Item::Span(Arc::new(span))).collect();
        let weight = items.iter().map(Item::weight).sum();
        Self { items, weight }
    }
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch").field("len", &self.len()).finish_non_exhaustive()
    }
}

impl Item {
    pub(crate) fn run_id(&self) -> RunId {
        match self {
            Self::Call(record) => record.run_id,
            Self::Span(span) => span.run_id,
        }
    }

    pub(crate) fn call_id(&self) -> CallId {
        match self {
            Self::Call(record) => record.id,
            Self::Span(span) => span.call_id,
        }
    }

    pub(crate) fn span(&self) -> Span {
        match self {
            Self::Call(record) => record.span(),
            Self::Span(span) => Span::clone(span),
        }
    }

    pub(crate) fn weight(&self) -> usize {
        match self {
            Self::Call(record) => record.weight(),
            Self::Span(span) => {
                let payloads = span.input.heap_bytes() + span.output.heap_bytes();
                let error = span.error.as_ref().map_or(0, CallError::heap_bytes);
                size_of::<Span>() + span.path.len() + payloads + error
            }
        }
    }
}

/// What a store could not do.
#[derive(Debug)]
#[non_exhaustive]
pub enum StoreError {
    /// The store said so.
    Failed(Box<dyn Error + Send + Sync>),
    /// The store panicked, with this message.
    Panicked(String),
    /// The store does not do this.
    Unsupported(&'static str),
    /// Not everything was written out in time.
    TimedOut,
    /// The recorder is closed: nobody is there to answer.
    Closed,
}

impl StoreError {
    /// The store failed because of this.
    pub fn failed(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Failed(error.into())
    }

    pub(crate) fn panicked(panic: &CallError) -> Self {
        Self::Panicked(panic.message().to_owned())
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(error) => write!(f, "the store failed: {error}"),
            Self::Panicked(message) => write!(f, "the store panicked: {message}"),
            Self::Unsupported(what) => write!(f, "the store has no `{what}`"),
            Self::TimedOut => f.write_str("not everything was written in time"),
            Self::Closed => f.write_str("the recorder is closed"),
        }
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Failed(error) => Some(&**error),
            Self::Panicked(_) | Self::Unsupported(_) | Self::TimedOut | Self::Closed => None,
        }
    }
}
