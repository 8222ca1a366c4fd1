//! `Sampling`: which runs a recorder records.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::{CallError, Definition, RunId};

/// Decides which runs a recorder records, when their first call starts.
///
/// `true` records all, `false` none, a [`Ratio`] some; a closure decides by the runnable of the run's
/// first call here and the run's id. If it panics the run is recorded.
///
/// What is not recorded works as it would: calls are named and belong together, and whoever reads one
/// hears of it. Neither stores and exporters nor subscribers do, and inputs and outputs that nobody
/// reads are not captured.
///
/// # Examples
///
/// ```
/// use timbal_core::{Definition, Ratio, RunId, Timbal};
///
/// let some = Timbal::builder().record(Ratio::new(0.1)).build();
/// let no_health_checks = Timbal::builder()
///     .record(|root: &Definition, _: RunId| root.name != "health")
///     .build();
/// # drop((some, no_health_checks));
/// ```
pub trait Sampling: Send + Sync + 'static {
    /// Whether the run of this id, whose first call is of this runnable, is recorded.
    fn is_recorded(&self, root: &Definition, run_id: RunId) -> bool;
}

impl Sampling for bool {
    fn is_recorded(&self, _: &Definition, _: RunId) -> bool {
        *self
    }
}

impl<F: Fn(&Definition, RunId) -> bool + Send + Sync + 'static> Sampling for F {
    fn is_recorded(&self, root: &Definition, run_id: RunId) -> bool {
        self(root, run_id)
    }
}

/// Records this share of all runs.
///
/// It looks at the last 56 bits of the run's id, which are random, as OpenTelemetry's consistent
/// sampling does: all processes that take part in a run and have the same ratio decide the same, and
/// what is recorded at a low ratio is recorded at every higher one.
///
/// # Examples
///
/// ```
/// use timbal_core::{Definition, Ratio, RunId, Sampling};
///
/// let run: RunId = "4bf92f3577b34da6a3ce929d0e0e4736".parse()?;
/// let root = Definition::new("root");
/// assert!(Ratio::new(0.5).is_recorded(&root, run));
/// assert!(!Ratio::new(0.1).is_recorded(&root, run));
/// # Ok::<(), timbal_core::ParseIdError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ratio {
    share: f64,
}

impl Ratio {
    /// How many bits of an id are random, whoever made it.
    const RANDOM_BITS: u32 = 56;

    /// This share of all runs: 0 is none, 1 is all. What is less or more counts as these, and what is
    /// no number as 0.
    pub const fn new(share: f64) -> Self {
        Self { share: if share.is_nan() { 0.0 } else { share.clamp(0.0, 1.0) } }
    }

    /// The share.
    pub const fn share(self) -> f64 {
        self.share
    }
}

impl Sampling for Ratio {
    fn is_recorded(&self, _: &Definition, run_id: RunId) -> bool {
        let all = 1_u64 << Self::RANDOM_BITS;
        let threshold = ((1.0 - self.share) * all as f64) as u64;
        run_id.as_u128() as u64 & (all - 1) >= threshold
    }
}

/// Asks a rule that may panic.
#[cold]
pub(crate) fn asks(rule: &dyn Sampling, root: &Definition, run_id: RunId) -> bool {
    let asked = catch_unwind(AssertUnwindSafe(|| rule.is_recorded(root, run_id)));
    asked.unwrap_or_else(|panic| {
        let _it_is_recorded = CallError::from_caught(panic);
        true
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Timestamp, ids};

    fn is_recorded(share: f64, run_id: RunId) -> bool {
        Ratio::new(share).is_recorded(&Definition::new("root"), run_id)
    }

    #[test]
    fn the_share_is_kept() {
        let new = |_| RunId::new(Timestamp::from_millis(1), ids::random_bits(), ids::random_bits());
        let runs: Vec<_> = (0..20_000).map(new).collect();
        let count = |share| runs.iter().filter(|run| is_recorded(share, **run)).count();
        assert_eq!((count(0.0), count(1.0), count(-1.0), count(7.0)), (0, 20_000, 0, 20_000));
        assert_eq!(count(f64::NAN), 0);
        // Eight standard deviations to either side.
        assert!((4_510..5_490).contains(&count(0.25)), "{}", count(0.25));
    }

    #[test]
    fn what_few_record_many_do() {
        let bits = |n: u64| n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        for run in (1..1_000).map(|n| RunId::new(Timestamp::from_millis(n), bits(n), bits(n + 1))) {
            let recorded = [0.01, 0.1, 0.5, 0.9].map(|share| is_recorded(share, run));
            assert!(recorded.is_sorted(), "{run}");
        }
    }
}
