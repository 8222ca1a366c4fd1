//! The table: a block a case, a line a variant.

use std::fmt;

use crate::measure::{Cost, median};
use crate::variants::{ALL, PEER};
use crate::workload::Case;

/// What the rounds measured, one line for each case and variant.
#[derive(Default)]
pub(crate) struct Table {
    lines: Vec<Line>,
}

struct Line {
    case: Case,
    variant: &'static str,
    rounds: Vec<Cost>,
}

impl Table {
    pub(crate) fn push(&mut self, case: Case, variant: &'static str, cost: Cost) {
        match self.lines.iter_mut().find(|line| line.case == case && line.variant == variant) {
            Some(line) => line.rounds.push(cost),
            None => self.lines.push(Line { case, variant, rounds: vec![cost] }),
        }
    }

    fn line(&self, case: Case, variant: &str) -> Option<&Line> {
        self.lines.iter().find(|line| line.case == case && line.variant == variant)
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for case in Case::ALL {
            self.block(case, f)?;
        }
        writeln!(f, "{LEGEND}")
    }
}

const LEGEND: &str = "\
Every figure is of one call, above the plain function, and a median of rounds.
  caller, ±   CPU ns of the thread that calls; half the distance from the best round to the worst
  process     CPU ns of all threads, until the call is stored
  allocs, all allocations on the thread that calls; on all threads
  held        bytes that stay in memory for it
  × same      caller, as a multiple of what `fastrace` takes in the same case
  × child     caller, as a multiple of what a child of `fastrace` takes";

impl Table {
    fn block(&self, case: Case, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(bare) = self.line(case, ALL[0].name) else {
            return Ok(());
        };
        let plain = bare.median(|cost| cost.bare_ns);
        writeln!(f, "{}: {} (the plain function: {plain:.1} ns)", case.name(), case.about())?;
        writeln!(
            f,
            "  {:<32}{:>8}{:>7}{:>9}{:>8}{:>8}{:>8}{:>9}{:>9}",
            "", "caller", "±", "process", "allocs", "all", "held", "× same", "× child"
        )?;
        for variant in ALL {
            let Some(line) = self.line(case, variant.name) else {
                continue;
            };
            let caller = line.median(|cost| cost.caller_ns);
            writeln!(
                f,
                "  {:<32}{caller:>8.1}{:>7.1}{:>9.1}{:>8.2}{:>8.2}{:>8.0}{:>9.2}{:>9.2}",
                variant.name,
                line.spread(|cost| cost.caller_ns),
                line.median(|cost| cost.process_ns),
                line.median(|cost| cost.allocations),
                line.median(|cost| cost.process_allocations),
                line.median(|cost| cost.held_bytes),
                caller / self.peer(case),
                caller / self.peer(Case::Child),
            )?;
        }
        writeln!(f)
    }

    fn peer(&self, case: Case) -> f64 {
        self.line(case, PEER).map_or(f64::NAN, |line| line.median(|cost| cost.caller_ns))
    }
}

impl Line {
    fn median(&self, of: fn(&Cost) -> f64) -> f64 {
        median(&mut self.rounds.iter().map(of).collect::<Vec<_>>())
    }

    /// Half of the distance between the best round and the worst one.
    fn spread(&self, of: fn(&Cost) -> f64) -> f64 {
        let values = || self.rounds.iter().map(of);
        (values().fold(f64::MIN, f64::max) - values().fold(f64::MAX, f64::min)) / 2.0
    }
}
