//! Keeps the traces of [timbal](https://docs.rs/timbal) in a SQLite file.
//!
//! ```
//! use timbal_core::{Filter, Timbal};
//! use timbal_sqlite::SqliteStore;
//!
//! # let dir = tempfile::tempdir()?;
//! # let path = dir.path().join("traces.db");
//! let timbal = Timbal::builder().store(SqliteStore::open(path)?).build();
//! // ... what is recorded is kept, and found again by the next process ...
//! let earlier = futures::executor::block_on(timbal.runs(&Filter::new()))?;
//! # assert!(earlier.runs.is_empty());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod columns;
mod open;
mod prune;
mod read;
mod runs;
mod schema;
mod stats;
mod store;
mod words;
mod write;
mod writer_lock;

pub use open::{OpenError, SqliteOptions};
pub use store::SqliteStore;
