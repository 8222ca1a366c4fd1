//! The ways to record the same calls, side by side.

mod bare;
mod fastrace;
mod timbal;
mod tracing;

use crate::measure::{Cost, Effort, measure};
use crate::workload::Case;

pub(crate) use bare::Bare;

/// Why a measurement is worth nothing.
pub(crate) type Failure = Box<dyn std::error::Error>;

/// One way to record calls. What it installs is the process's, so each has a process of its own.
pub(crate) trait Recording: Sized {
    /// Installs what records.
    fn install() -> Result<Self, Failure>;

    /// Makes the calls of one root, and returns what it returned.
    fn run(case: Case) -> u64;

    /// Waits until all that was recorded is stored, and says how many calls that were in this
    /// process; `None` where nothing is recorded.
    fn settle(&mut self) -> Result<Option<u64>, Failure> {
        Ok(None)
    }

    /// Lets go of what is stored, where it would grow for ever otherwise.
    fn forget(&mut self) {}

    /// Makes the calls of one root, and compares their record with what they did.
    fn check(&mut self, case: Case) -> Result<(), Failure> {
        expect("the value", Self::run(case), case.value())
    }
}

/// One line of the table.
pub(crate) struct Variant {
    pub(crate) name: &'static str,
    pub(crate) measure: fn(Case, Effort) -> Result<Cost, Failure>,
}

/// How many calls a store keeps in memory, about, before it lets go of the oldest or of all: few
/// enough that none of them lives in fresh memory only.
pub(crate) const KEPT: usize = 8_000;

/// The line that all others are compared with.
pub(crate) const PEER: &str = "fastrace";

pub(crate) const ALL: &[Variant] = &[
    Variant { name: "bare", measure: measure::<Bare> },
    Variant { name: "timbal, nothing installed", measure: measure::<timbal::Off> },
    Variant { name: "timbal, stored in memory", measure: measure::<timbal::Stored> },
    Variant { name: PEER, measure: measure::<fastrace::Spans> },
    Variant { name: "fastrace, 2 properties", measure: measure::<fastrace::Properties> },
    Variant { name: "tracing, ret, nobody listens", measure: measure::<tracing::Off> },
    Variant { name: "tracing, ret, a layer stores", measure: measure::<tracing::Stored> },
];

/// Fails unless two values are equal, and says what they are values of.
fn expect<T: PartialEq + std::fmt::Debug>(what: &str, is: T, should: T) -> Result<(), Failure> {
    if is == should { Ok(()) } else { Err(format!("{what} is {is:?}, not {should:?}").into()) }
}
