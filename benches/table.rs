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
Every figure is of one call, or one chunk, above the plain function, and a median of rounds.
  caller, ±   CPU ns of the thread that calls; half the distance from the best round to the worst
  process     CPU ns of all threads until all is stored, of calls made without a pause
  wall        ns by the clock on the wall, of the same calls
  allocs, all allocations on the thread that calls; on all threads
  held        bytes that stay in memory for it
  × same      caller, as a multiple of what `fastrace` takes in the same case and round
  × child     caller, as a multiple of what a child of `fastrace` takes in that round";

impl Table {
    fn block(&self, case: Case, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(bare) = self.line(case, ALL[0].name) else {
            return Ok(());
        };
        let plain = bare.median(|cost| cost.bare_ns);
        writeln!(f, "{}: {} (the plain function: {plain:.1} ns)", case.name(), case.about())?;
        writeln!(
            f,
            "  {:<32}{:>8}{:>7}{:>9}{:>8}{:>8}{:>8}{:>8}{:>9}{:>9}",
            "", "caller", "±", "process", "wall", "allocs", "all", "held", "× same", "× child"
        )?;
        for variant in ALL {
            let Some(line) = self.line(case, variant.name) else {
                continue;
            };
            let caller = line.median(|cost| cost.caller_ns);
            writeln!(
                f,
                "  {:<32}{caller:>8.1}{:>7.1}{:>9.1}{:>8.1}{:>8.2}{:>8.2}{:>8.0}{:>9.2}{:>9.2}",
                variant.name,
                line.spread(|cost| cost.caller_ns),
                line.median(|cost| cost.process_ns),
                line.median(|cost| cost.wall_ns),
                line.median(|cost| cost.allocations),
                line.median(|cost| cost.process_allocations),
                line.median(|cost| cost.held_bytes),
                self.ratio(line, case, PEER),
                self.ratio(line, Case::Child, PEER),
            )?;
        }
        writeln!(f)
    }

    /// What the line takes as a multiple of what the peer does. Rounds are compared one by one, as
    /// machines have quick phases and slow ones, which are longer than a round.
    fn ratio(&self, line: &Line, case: Case, peer: &str) -> f64 {
        let Some(peer) = self.line(case, peer) else {
            return f64::NAN;
        };
        let rounds = line.rounds.iter().zip(&peer.rounds);
        median(&mut rounds.map(|(cost, peer)| cost.caller_ns / peer.caller_ns).collect::<Vec<_>>())
    }

    /// What a variant takes of the caller's time in a case, as a multiple of what another does, if
    /// both were measured.
    pub(crate) fn compare(&self, case: Case, variant: &str, peer: &str) -> Option<f64> {
        self.line(case, peer)?;
        Some(self.ratio(self.line(case, variant)?, case, peer))
    }

    /// The median of a figure, if it was measured.
    pub(crate) fn figure(&self, case: Case, variant: &str, of: fn(&Cost) -> f64) -> Option<f64> {
        Some(self.line(case, variant)?.median(of))
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
