//! `Prune`: which runs a store is to let go of.

use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// Which runs a store is to let go of, each with all its spans: those that are too old, then the
/// oldest until the rest is small enough.
///
/// # Examples
///
/// Keeps 30 days, and at most a gigabyte of them:
///
/// ```
/// use std::time::Duration;
/// use timbal_core::{Prune, Timbal};
///
/// let prune = Prune::new().older_than(Duration::from_secs(30 * 86_400)).max_bytes(1 << 30);
/// let timbal = Timbal::builder().build();
/// let pruned = futures::executor::block_on(timbal.prune(&prune))?;
/// assert_eq!((pruned.runs, pruned.spans), (0, 0));
/// # Ok::<(), timbal_core::StoreError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Prune {
    /// Runs go that started before this time.
    pub before: Option<Timestamp>,
    /// The oldest runs go until about so many bytes are left, as the store counts them.
    pub max_bytes: Option<u64>,
}

impl Prune {
    /// No run goes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Runs go that started before this time.
    #[must_use]
    pub fn before(self, before: impl Into<Timestamp>) -> Self {
        Self { before: Some(before.into()), ..self }
    }

    /// Runs go that started longer ago than this, as the wall clock now has it.
    #[must_use]
    pub fn older_than(self, age: Duration) -> Self {
        let before = SystemTime::now().checked_sub(age).unwrap_or(SystemTime::UNIX_EPOCH);
        self.before(before)
    }

    /// The oldest runs go until about so many bytes are left, as the store counts them.
    #[must_use]
    pub fn max_bytes(self, max_bytes: u64) -> Self {
        Self { max_bytes: Some(max_bytes), ..self }
    }
}

/// What a store let go of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Pruned {
    /// How many runs.
    pub runs: u64,
    /// How many spans of them.
    pub spans: u64,
}

impl Pruned {
    /// So many runs with so many spans.
    pub fn new(runs: u64, spans: u64) -> Self {
        Self { runs, spans }
    }
}
