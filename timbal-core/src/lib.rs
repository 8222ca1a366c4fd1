//! What exists at run time of [timbal](https://docs.rs/timbal): calls, events, payloads, traces and
//! recorders. It knows no macro, no database and no executor.
//!
//! Knowledge goes one way, from the top of this list to its end:
//!
//! - what a call is made of: [`RunId`], [`CallId`], [`Timestamp`], [`Payload`], [`CallError`], [`Status`];
//! - what it looks like from outside: [`Event`], [`Span`], [`Trace`];
//! - what it is while it is open: a record, the run it belongs to, and the call that is current;
//! - where it is told: to readers, to subscribers, and to the queue of a recorder;
//! - what keeps it: stores, behind the recorder's writer;
//! - how it lives: one lifecycle for all shapes, and a handle for each: [`Call`], [`StreamCall`],
//!   [`IterCall`].

// ids, time, values
mod capture;
mod clock;
mod definition;
mod error;
mod ids;
mod mask;
mod payload;
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
mod held;
mod notes;
mod open_call;
mod path;
mod record;
mod run;

// who hears of it
mod intake;
mod ledger;
mod reader;
mod shard;
mod subscriber;
mod tell;

// what keeps it
mod memory;
mod query;
mod recorder;
mod store;
mod writer;

// how it lives
#[cfg_attr(not(feature = "tokio"), path = "no_blocking.rs")]
mod blocking;
mod boxed;
mod call;
mod ending;
mod events;
mod folded;
mod item;
mod iter_call;
mod lazy;
mod lazy_iter;
mod lifecycle;
mod made;
mod probe;
mod settings;
mod stream_call;
mod stream_call_future;
mod value;

pub use annotate::{Emit, emit, metadata, try_emit, usage};
pub use call::Call;
pub use clock::{Clock, Timestamp};
pub use current::{Current, current};
pub use definition::Definition;
pub use error::{CallError, Cause};
pub use event::{ChunkEvent, Event, OtherEvent, OutputEvent, StartEvent};
pub use events::Events;
pub use ids::{CallId, IdSource, ParseIdError, RunId};
pub use iter_call::IterCall;
pub use memory::MemoryStore;
pub use payload::{Payload, PayloadError};
pub use query::Answer;
pub use recorder::{Builder, Guard, Health, InstallError, Timbal};
pub use span::{Process, Span};
pub use status::{Status, StatusCode};
pub use store::{Batch, Store, StoreError};
pub use stream_call::StreamCall;
pub use stream_call_future::StreamCallFuture;
pub use subscriber::Subscriber;
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
    pub use crate::definition::Definition;
    pub use crate::ending::Ending;
    pub use crate::events::Driven;
    pub use crate::item::Item;
    pub use crate::iter_call::iterator;
    pub use crate::lazy::Lazy;
    pub use crate::lazy_iter::LazyIter;
    pub use crate::probe::{CaptureInput, CaptureItem, CaptureOutput, Probe, Split, split};
    pub use crate::stream_call::stream;
    pub use crate::stream_call_future::{Opening, stream_future};
    pub use crate::value::value;
}
