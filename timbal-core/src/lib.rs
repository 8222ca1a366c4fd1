//! What exists at run time of timbal.

mod error;

pub use error::{CallError, Cause};
