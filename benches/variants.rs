//! The ways to record the same calls, side by side.

mod bare;
mod by_hand;
mod fastrace;
mod otel;
mod timbal;
mod tokio;
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

    /// How many calls were lost in this process as the machine was too busy to write them.
    fn lost(&self) -> u64 {
        0
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
    pub(crate) cases: &'static [Case],
    pub(crate) measure: fn(Case, Effort) -> Result<Cost, Failure>,
}

const EVERY: &[Case] = &Case::ALL;
const STREAMS: &[Case] = &[Case::Stream];
const PLAIN: &[Case] = &[Case::Root, Case::Child];

/// How many calls a store keeps in memory, about, before it lets go of the oldest or of all: few
/// enough that none of them lives in fresh memory only.
pub(crate) const KEPT: usize = 8_000;

/// The line that all others are compared with.
pub(crate) const PEER: &str = "fastrace";

// Lines that the goals name.
pub(crate) const OFF: &str = "timbal, nothing installed";
pub(crate) const STORED: &str = "timbal, stored in memory";
pub(crate) const READ: &str = "timbal, read through .events()";
pub(crate) const CHANNEL: &str = "tokio, unbounded channel";
pub(crate) const PROPERTIES: &str = "fastrace, 2 properties";
pub(crate) const TRACING_OFF: &str = "tracing, ret, nobody listens";
pub(crate) const TRACING_STORED: &str = "tracing, ret, a layer stores";

pub(crate) const ALL: &[Variant] = &[
    Variant { name: "bare", cases: EVERY, measure: measure::<Bare> },
    Variant { name: "by hand, in a vector", cases: PLAIN, measure: measure::<by_hand::ByHand> },
    Variant { name: OFF, cases: EVERY, measure: measure::<timbal::Off> },
    Variant { name: STORED, cases: EVERY, measure: measure::<timbal::Stored> },
    Variant {
        name: "timbal, a subscriber hears",
        cases: STREAMS,
        measure: measure::<timbal::Heard>,
    },
    Variant { name: READ, cases: STREAMS, measure: measure::<timbal::Read> },
    Variant { name: CHANNEL, cases: STREAMS, measure: measure::<tokio::Channel> },
    Variant { name: PEER, cases: EVERY, measure: measure::<fastrace::Spans> },
    Variant { name: PROPERTIES, cases: EVERY, measure: measure::<fastrace::Properties> },
    Variant { name: TRACING_OFF, cases: EVERY, measure: measure::<tracing::Off> },
    Variant { name: TRACING_STORED, cases: EVERY, measure: measure::<tracing::Stored> },
    Variant {
        name: "tracing, ret, OpenTelemetry",
        cases: EVERY,
        measure: measure::<otel::Batched>,
    },
];

/// What tells a number of bytes.
type Bytes = fn() -> usize;

/// The bytes of a future that is ten calls deep.
pub(crate) const SIZES: [(&str, Bytes); 4] = [
    ("bare", bare::bytes),
    ("timbal", timbal::bytes),
    ("fastrace", fastrace::bytes),
    ("tracing, ret", tracing::bytes),
];

/// Fails unless two values are equal, and says what they are values of.
pub(crate) fn expect<T: PartialEq + std::fmt::Debug>(
    what: &str,
    is: T,
    should: T,
) -> Result<(), Failure> {
    if is == should { Ok(()) } else { Err(format!("{what} is {is:?}, not {should:?}").into()) }
}
