//! Keeps the traces of [timbal](https://docs.rs/timbal) in a PostgreSQL database.
//!
//! ```no_run
//! // It needs a server.
//! use timbal_core::{Filter, Timbal};
//! use timbal_postgres::PostgresStore;
//!
//! let store = PostgresStore::connect("postgres://me@localhost/traces")?;
//! let timbal = Timbal::builder().store(store).build();
//! // ... what is recorded is kept, beside what the processes of other machines record ...
//! let earlier = futures::executor::block_on(timbal.runs(&Filter::new()))?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod connect_error;
mod options;
mod partition;
mod prune;
mod read;
mod record;
mod row;
mod runs;
mod runtime;
mod schema;
mod server;
mod session;
mod spool;
mod stats;
mod store;
mod text;
mod tls;

pub use connect_error::ConnectError;
pub use options::PostgresOptions;
pub use store::PostgresStore;
