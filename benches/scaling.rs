//! How the cost of a call grows with its run: with the calls before it, above it, and beside it on
//! other threads.

use std::collections::{BTreeSet, HashSet};

use futures::executor::block_on;
use timbal::{Guard, MemoryStore, StatusCode, Timbal, Trace};

use crate::measure::{PROCESS, cpu_ns, median};
use crate::scaled::{Made, bare, recorded};
use crate::variants::{Failure, KEPT, SIZES, expect};

/// One table: what grows, and how far.
struct Scale {
    about: &'static str,
    points: &'static [u64],
    /// The point that the others are compared with.
    reference: u64,
    bare: fn(u64) -> Made,
    recorded: fn(u64) -> Made,
}

const SCALES: [Scale; 4] = [
    Scale {
        about: "calls in one run",
        points: &[10, 1_000, 100_000, 1_000_000],
        reference: 1_000,
        bare: bare::rows,
        recorded: recorded::rows,
    },
    Scale {
        about: "calls above the last, each inside the one before",
        points: &[1, 10, 100, 1_000],
        reference: 10,
        bare: bare::shafts,
        recorded: recorded::shafts,
    },
    Scale {
        about: "threads that call, in one run",
        points: &[1, 2, 4, 8, 16],
        reference: 1,
        bare: bare::one_run,
        recorded: recorded::one_run,
    },
    Scale {
        about: "threads that call, in runs of their own",
        points: &[1, 2, 4, 8, 16],
        reference: 1,
        bare: bare::many_runs,
        recorded: recorded::many_runs,
    },
];

/// Measures all tables in so many rounds, and prints them.
pub(crate) fn print(rounds: usize) -> Result<(), Failure> {
    let store = MemoryStore::new().with_max_spans(KEPT);
    let guard = Timbal::builder().store(store).build().install()?;
    for scale in &SCALES {
        let costs = scale.measure(&guard, rounds)?;
        scale.print(&costs);
    }
    check()?;
    println!("bytes of a future, ten deep");
    for (variant, bytes) in SIZES {
        println!("  {variant:<32}{:>8}", bytes());
    }
    Ok(())
}

/// What a call costs above the plain function: its callers' CPU time, and that of all threads.
type Cost = [f64; 2];

impl Scale {
    /// The costs at each point, a round a line.
    fn measure(&self, guard: &Guard, rounds: usize) -> Result<Vec<Vec<Cost>>, Failure> {
        let round = |_| self.points.iter().map(|&point| self.cost(guard, point)).collect();
        round(0)?; // pays for what is made once
        (0..rounds).map(round).collect()
    }

    fn cost(&self, guard: &Guard, point: u64) -> Result<Cost, Failure> {
        let before = guard.timbal().health().written;
        let start = cpu_ns(PROCESS);
        let bare = (self.bare)(point);
        block_on(guard.timbal().flush())?;
        let middle = cpu_ns(PROCESS);
        let recorded = (self.recorded)(point);
        block_on(guard.timbal().flush())?;
        let end = cpu_ns(PROCESS);
        let health = guard.timbal().health();
        expect("the number of recorded calls", health.written - before, recorded.calls)?;
        expect("the number of lost calls", health.lost, 0)?;
        let above = [recorded.caller_ns - bare.caller_ns, (end - middle) - (middle - start)];
        Ok(above.map(|ns| ns / recorded.calls as f64))
    }

    fn print(&self, costs: &[Vec<Cost>]) {
        println!("{}", self.about);
        let reference = self.points.iter().position(|point| *point == self.reference);
        let reference = reference.expect("it is one of the points");
        let against = format!("× {}", self.reference);
        println!("  {:>10}{:>10}{:>10}{:>10}", "", "caller", "process", against);
        for (place, point) in self.points.iter().enumerate() {
            let of = |cost: fn(&[Cost], usize, usize) -> f64| {
                median(
                    &mut costs
                        .iter()
                        .map(|round| cost(round, place, reference))
                        .collect::<Vec<_>>(),
                )
            };
            let caller = of(|round, place, _| round[place][0]);
            let process = of(|round, place, _| round[place][1]);
            let ratio = of(|round, place, reference| round[place][0] / round[reference][0]);
            println!("  {point:>10}{caller:>10.1}{process:>10.1}{ratio:>10.2}");
        }
        println!();
    }
}

/// Whether the calls that are measured leave whole traces: every call counted above is in them.
fn check() -> Result<(), Failure> {
    const CALLS: u64 = 1_000;
    let (value, trace) = block_on(recorded::row(CALLS).traced());
    expect("the value", value, 3 * CALLS)?;
    check_trace(&trace, 1 + CALLS)?;
    let trace = block_on(timbal::call!("top", async { recorded::shaft(CALLS).await }).traced()).1;
    let names = trace.spans.iter().map(|span| span.path.split('.').count()).max();
    expect("the length of the longest path", names, Some(1 + CALLS as usize))?;
    check_trace(&trace, 1 + CALLS)?;
    let trace = block_on(recorded::spread(4).traced()).1;
    check_trace(&trace, 1 + 4 * 2_020)
}

fn check_trace(trace: &Trace, calls: u64) -> Result<(), Failure> {
    let ids: HashSet<_> = trace.spans.iter().map(|span| span.call_id).collect();
    expect("the number of calls", ids.len() as u64, calls)?;
    // A trace is in the order of starts, where two threads' calls may stand the other way round.
    let numbers: BTreeSet<_> = trace.spans.iter().map(|span| span.seq).collect();
    expect("the number of calls that have a number", numbers.len() as u64, calls)?;
    expect(
        "the first number and the last",
        (numbers.first(), numbers.last()),
        (Some(&0), Some(&(calls - 1))),
    )?;
    let above = trace.spans.iter().filter_map(|span| span.parent_call_id);
    expect(
        "the number of children",
        above.filter(|id| ids.contains(id)).count() as u64,
        calls - 1,
    )?;
    let succeeded = trace.spans.iter().filter(|span| span.status.code == StatusCode::Success);
    expect("the number of calls that succeeded", succeeded.count() as u64, calls)
}
