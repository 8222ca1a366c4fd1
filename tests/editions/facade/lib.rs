//! A library that hands timbal on, under a path of its own.

/// Where it hands it on.
pub mod inner {
    pub use timbal;
}
