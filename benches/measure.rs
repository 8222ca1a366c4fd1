//! What a call costs: many short repetitions, the plain functions between them.

use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

use crate::allocator;
use crate::variants::{Bare, Failure, KEPT, Recording};
use crate::workload::Case;

/// How much work is put into a figure.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    /// Repetitions whose median is taken.
    pub(crate) repetitions: usize,
    /// Bursts of [`BURST`] repetitions each, for the CPU time of all threads.
    pub(crate) bursts: usize,
}

/// Calls of one repetition, about: short enough to fit between two interruptions.
const CALLS: u64 = 1_000;
/// Repetitions of a burst. Three would not fit into the ring of fastrace, whose `flush` does not
/// see what waits for a place: 10,240 commands, of which a root takes three.
const BURST: u64 = 2;

/// Repetitions after which stores that know no bounds are emptied.
const FORGET_AFTER: usize = KEPT / CALLS as usize;

/// What one call of a variant costs in one case, above the plain function unless said otherwise.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Cost {
    /// CPU nanoseconds of the thread that calls.
    pub(crate) caller_ns: f64,
    /// CPU nanoseconds of the process, with every thread that collects or writes.
    pub(crate) process_ns: f64,
    /// Allocations on the thread that calls.
    pub(crate) allocations: f64,
    /// Allocations of the process.
    pub(crate) process_allocations: f64,
    /// Bytes that the process holds for a recorded call when all is stored.
    pub(crate) held_bytes: f64,
    /// CPU nanoseconds of the plain function itself.
    pub(crate) bare_ns: f64,
}

/// Measures one case of one variant, then checks that everything was recorded.
pub(crate) fn measure<R: Recording>(case: Case, effort: Effort) -> Result<Cost, Failure> {
    let mut meter = Meter { recording: R::install()?, case, recorded: 0 };
    // The first repetition pays for what is made once: buffers, registrations, thread-locals.
    meter.run::<R>(1);
    meter.settle(1)?;
    meter.recording.forget();

    let [allocations, process_allocations, held_bytes] = meter.allocations()?;
    let [caller, bare] = meter.caller(effort.repetitions)?;
    let process_ns = meter.process(effort.bursts)?;
    meter.recording.check(case)?;
    Ok(Cost {
        caller_ns: caller - bare,
        process_ns,
        allocations,
        process_allocations,
        held_bytes,
        bare_ns: bare,
    })
}

struct Meter<R> {
    recording: R,
    case: Case,
    /// The calls that must have been recorded by now.
    recorded: u64,
}

impl<R: Recording> Meter<R> {
    /// The CPU time of a call on the thread that calls, and that of the plain function: the
    /// medians of repetitions taken in turn.
    fn caller(&mut self, repetitions: usize) -> Result<[f64; 2], Failure> {
        let clock = ClockId::ThreadCPUTime;
        let mut variant = Vec::with_capacity(repetitions);
        let mut bare = Vec::with_capacity(repetitions);
        for repetition in 0..repetitions {
            let start = now(clock);
            self.run::<Bare>(1);
            let middle = now(clock);
            self.run::<R>(1);
            let end = now(clock);
            bare.push(middle - start);
            variant.push(end - middle);
            self.settle(1)?;
            if repetition % FORGET_AFTER == 0 {
                self.recording.forget();
            }
        }
        Ok([variant, bare].map(|mut times| median(&mut times) / self.calls(1)))
    }

    /// The CPU time of a call on all threads until it is stored, above the plain function. Waiting
    /// has a price of its own: what it costs where there is nothing to wait for is taken off too.
    fn process(&mut self, bursts: usize) -> Result<f64, Failure> {
        let clock = ClockId::ProcessCPUTime;
        let mut above = Vec::with_capacity(bursts);
        for _ in 0..bursts {
            let start = now(clock);
            self.run::<Bare>(BURST);
            self.settle(0)?;
            let middle = now(clock);
            self.run::<R>(BURST);
            self.settle(BURST)?;
            let end = now(clock);
            above.push((end - middle) - (middle - start));
            self.recording.forget();
        }
        Ok(median(&mut above) / self.calls(BURST))
    }

    /// The allocations of a call, on its thread and on all, and the bytes that stay, all above
    /// the plain function.
    fn allocations(&mut self) -> Result<[f64; 3], Failure> {
        let (settled, bare) = allocator::count(|| {
            self.run::<Bare>(1);
            self.settle(0)
        });
        settled?;
        let (settled, variant) = allocator::count(|| {
            self.run::<R>(1);
            self.settle(1)
        });
        settled?;
        self.recording.forget();
        Ok([
            variant.here as f64 - bare.here as f64,
            variant.everywhere as f64 - bare.everywhere as f64,
            variant.held as f64 - bare.held as f64,
        ]
        .map(|all| all / self.calls(1)))
    }

    /// Makes the calls of some repetitions.
    fn run<V: Recording>(&self, repetitions: u64) {
        for _ in 0..repetitions * self.roots() {
            std::hint::black_box(V::run(self.case));
        }
    }

    /// Waits until all is stored, and fails if that is not exactly what was called: a variant
    /// that leaves something out measures nothing.
    fn settle(&mut self, repetitions: u64) -> Result<(), Failure> {
        self.recorded += repetitions * self.roots() * self.case.calls();
        match self.recording.settle()? {
            Some(recorded) if recorded != self.recorded => {
                Err(format!("{recorded} calls were recorded of {}", self.recorded).into())
            }
            _ => Ok(()),
        }
    }

    fn roots(&self) -> u64 {
        CALLS.div_ceil(self.case.calls())
    }

    fn calls(&self, repetitions: u64) -> f64 {
        (repetitions * self.roots() * self.case.calls()) as f64
    }
}

/// Nanoseconds on a clock of CPU time.
fn now(clock: ClockId) -> f64 {
    let time = clock_gettime(clock);
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}

pub(crate) fn median(values: &mut [f64]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let upper = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        len if len % 2 == 0 => (values[upper - 1] + values[upper]) / 2.0,
        _ => values[upper],
    }
}
