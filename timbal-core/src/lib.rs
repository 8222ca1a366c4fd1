//! What exists at run time of [timbal](https://docs.rs/timbal): calls, events, payloads, traces and
//! recorders. It knows no macro, no database and no executor.
//!
//! Knowledge goes one way, from the top of this list to its end:
//!
//! - what a call is made of: [`RunId`], [`CallId`], [`Timestamp`], [`Payload`], [`CallError`], [`Status`];
//! - what it looks like from outside: [`Event`], [`Span`], [`Trace`];
//! - what it is while it is open: a record, the run it belongs to, and the call that is current;
//! - where it is told: to readers, to subscribers, and to the queue of a recorder;
//! - what keeps it: stores, behind the recorder's writer, and what they are asked;
//! - how it lives: one lifecycle for all shapes, and a handle for each: [`Call`], [`StreamCall`],
//!   [`IterCall`].

// ids, time, values
mod capture;
mod chunks;
mod clock;
mod counting_allocator;
mod definition;
mod early_exit;
mod error;
mod frame;
mod frames;
mod ids;
mod mask;
mod payload;
mod raw_json;
mod status;
mod type_name;

// events and spans
mod event;
mod span;
mod trace;
mod traceparent;

// an open call
mod annotate;
mod current;
mod failing;
mod held;
mod in_current;
mod noted;
mod notes;
mod open_call;
mod path;
mod record;
mod run;
mod slot;
#[cfg(feature = "tokio")]
mod spawn;

// who hears of it
mod intake;
mod ledger;
#[cfg(all(test, timbal_loom))]
mod loom_tests;
mod queued;
mod reader;
mod shard;
mod subscriber;
mod sync;
mod tell;

// what keeps it
mod bell;
mod builder;
mod commit;
mod current_recorder;
mod durability;
mod exporter;
mod faults;
mod health;
mod installed;
mod jsonl;
mod looks;
mod memory;
mod outlet;
mod outlets;
mod panic_hook;
mod recorder;
mod sampling;
mod store;
mod writer;

// what it is asked
mod filter;
mod history;
mod page;
mod prune;
mod query;
mod run_summary;
mod search;
mod stats;
mod tally;

#[cfg(feature = "conformance")]
pub mod conformance;

// how it lives
#[cfg_attr(not(feature = "tokio"), path = "no_blocking.rs")]
mod blocking;
mod boxed;
mod call;
mod ending;
mod events;
mod folded;
mod generator;
mod item;
mod iter_call;
mod lazy;
mod lazy_iter;
mod lifecycle;
mod made;
mod probe;
mod returned;
mod settings;
mod stream_call;
mod stream_call_future;
#[cfg(feature = "tokio")]
mod timeout;
mod value;
mod yielder;

pub use annotate::{Emit, emit, metadata, try_emit, usage};
pub use builder::Builder;
pub use call::Call;
pub use clock::{Clock, Timestamp};
pub use counting_allocator::CountingAllocator;
pub use current::{Current, current};
pub use current_recorder::current_recorder;
pub use definition::Definition;
pub use durability::Durability;
pub use early_exit::EarlyExit;
pub use error::{CallError, Cause};
pub use event::{ChunkEvent, Event, OtherEvent, OutputEvent, StartEvent};
pub use events::Events;
pub use exporter::{ExportError, Exporter};
pub use filter::Filter;
pub use frame::Frame;
pub use generator::{IterGenerator, StreamGenerator};
pub use health::Health;
pub use ids::{CallId, IdSource, ParseIdError, RunId};
pub use in_current::{Carried, InCurrent, in_current};
pub use installed::{Guard, InstallError};
pub use iter_call::IterCall;
pub use jsonl::{JsonlExporter, JsonlReader};
pub use memory::MemoryStore;
pub use page::{Cursor, Page, ParseCursorError};
pub use payload::{Payload, PayloadError};
pub use prune::{Prune, Pruned};
pub use query::Answer;
pub use queued::{Queued, queued};
pub use recorder::Timbal;
pub use returned::{Pinned, Returned};
pub use run_summary::RunSummary;
pub use sampling::{Ratio, Sampling};
pub use search::TextSearch;
pub use span::{Process, Span};
#[cfg(feature = "tokio")]
pub use spawn::spawn;
pub use stats::{PathStats, Percentiles, Stats, StatsQuery};
pub use status::{Status, StatusCode};
pub use store::{Batch, Store, StoreError};
pub use stream_call::StreamCall;
pub use stream_call_future::StreamCallFuture;
pub use subscriber::Subscriber;
pub use tally::{Group, Tally};
#[cfg(feature = "tokio")]
pub use timeout::{Elapsed, Timeout};
pub use trace::Trace;
pub use traceparent::{ParseTraceparentError, Traceparent};

/// What `#[runnable]` expands to. Not for direct use: it changes without notice.
#[doc(hidden)]
pub mod __private {
    pub use crate::annotate::{input, no_input};
    #[cfg(feature = "tokio")]
    pub use crate::blocking::Blocking;
    #[cfg(not(feature = "tokio"))]
    pub use crate::blocking::HasTokio;
    pub use crate::blocking::blocking;
    pub use crate::boxed::{BoxFuture, Boxed, LocalBoxFuture, box_call, boxed, local_box_call};
    pub use crate::call::{block, call, declared, future};
    pub use crate::capture::Fields;
    pub use crate::definition;
    pub use crate::definition::Defined;
    pub use crate::ending::Ending;
    pub use crate::events::Driven;
    pub use crate::generator::{Fallible, TryYields, Yields, generator, iter_generator};
    pub use crate::item::Item;
    pub use crate::iter_call::iterator;
    pub use crate::lazy::Lazy;
    pub use crate::lazy_iter::LazyIter;
    pub use crate::noted::{Noted, noted, noted_in, returned};
    pub use crate::probe::{CaptureInput, CaptureItem, CaptureOutput};
    pub use crate::probe::{Failing, Plain, probe, probe_of, split};
    pub use crate::stream_call::stream;
    pub use crate::stream_call_future::{Opening, stream_future};
    pub use crate::value::value;
    pub use crate::yielder::{Yielder, sharing};
    pub use futures_core::Stream;
}
