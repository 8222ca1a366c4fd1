//! Makes plain functions observable with one attribute.
pub use timbal_core::*;
