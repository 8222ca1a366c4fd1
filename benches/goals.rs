//! The goals that timbal has, each beside what was measured.

use std::fmt;

use crate::measure::Cost;
use crate::table::Table;
use crate::variants::{CHANNEL, OFF, PEER, PROPERTIES, READ, STORED, TRACING_OFF, TRACING_STORED};
use crate::workload::Case;

struct Goal {
    what: &'static str,
    case: Case,
    of: &'static str,
    against: Against,
    at_most: f64,
}

enum Against {
    /// What the caller takes, as a multiple of what it takes in this variant.
    Peer(&'static str),
    /// A figure as it is.
    Nothing(fn(&Cost) -> f64),
}

use Against::{Nothing, Peer};

/// The bytes of the input and the output of a call that the workload makes.
const PAYLOADS: f64 = r#"{"a":1,"b":2}3"#.len() as f64;

const GOALS: &[Goal] = &[
    goal("child call / fastrace, nothing captured", Case::Child, STORED, Peer(PEER), 0.75),
    goal("child call / fastrace, 2 properties", Case::Child, STORED, Peer(PROPERTIES), 0.15),
    goal("child call / tracing, a layer stores", Case::Child, STORED, Peer(TRACING_STORED), 0.2),
    goal("root call / fastrace", Case::Root, STORED, Peer(PEER), 0.75),
    goal("chunk, no reader / fastrace event", Case::Stream, STORED, Peer(PEER), 1.0),
    goal("chunk, read / tokio channel", Case::Stream, READ, Peer(CHANNEL), 2.0),
    goal("nothing installed / tracing", Case::Child, OFF, Peer(TRACING_OFF), 1.5),
    goal(
        "bytes of a stored child",
        Case::Child,
        STORED,
        Nothing(|cost| cost.held_bytes - PAYLOADS),
        200.0,
    ),
    goal(
        "allocations of a child",
        Case::Child,
        STORED,
        Nothing(|cost| cost.process_allocations),
        2.0,
    ),
];

const fn goal(
    what: &'static str,
    case: Case,
    of: &'static str,
    against: Against,
    at_most: f64,
) -> Goal {
    Goal { what, case, of, against, at_most }
}

/// The goals of what was measured.
pub(crate) fn of(table: &Table) -> impl fmt::Display + '_ {
    fmt::from_fn(|f| {
        writeln!(f, "{:<44}{:>9}{:>9}", "goals", "is", "at most")?;
        for goal in GOALS {
            if let Some(is) = goal.measured(table) {
                let missed = if is <= goal.at_most { "" } else { "  missed" };
                writeln!(f, "  {:<42}{is:>9.2}{:>9.2}{missed}", goal.what, goal.at_most)?;
            }
        }
        Ok(())
    })
}

impl Goal {
    fn measured(&self, table: &Table) -> Option<f64> {
        match self.against {
            Peer(peer) => table.compare(self.case, self.of, peer),
            Nothing(figure) => table.figure(self.case, self.of, figure),
        }
    }
}
