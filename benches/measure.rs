//! What a call costs: many short repetitions, the plain functions between them.

use std::time::{Duration, Instant};

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
    /// How long calls are made without waiting until they are stored, for the CPU time of all
    /// threads.
    pub(crate) sustained: Duration,
}

/// Calls of one repetition, about: short enough to fit between two interruptions.
const CALLS: u64 = 1_000;
/// Repetitions after which stores that know no bounds are emptied.
const FORGET_AFTER: usize = KEPT / CALLS as usize;

/// What one call of a variant, or one chunk, costs in one case, above the plain function unless said otherwise.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Cost {
    /// CPU nanoseconds of the thread that calls.
    pub(crate) caller_ns: f64,
    /// CPU nanoseconds of the process, with every thread that collects or writes.
    pub(crate) process_ns: f64,
    /// Nanoseconds by the clock on the wall, with nothing between the calls.
    pub(crate) wall_ns: f64,
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
    let mut meter = Meter { recording: R::install()?, case, recorded: 0, lost: 0 };
    // The first repetition pays for what is made once: buffers, registrations, thread-locals.
    meter.run::<R>(1);
    meter.settle(1)?;
    meter.recording.forget();

    let [allocations, process_allocations, held_bytes] = meter.allocations()?;
    let [caller, bare] = meter.caller(effort.repetitions)?;
    let [process, wall] = meter.sustained(effort.sustained)?;
    meter.recording.check(case)?;
    Ok(Cost {
        caller_ns: caller - bare,
        process_ns: process - bare,
        wall_ns: wall - bare,
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
    /// The calls that were lost until now, of which it is known.
    lost: u64,
}

impl<R: Recording> Meter<R> {
    /// The CPU time of a call on the thread that calls, and that of the plain function: the
    /// medians of repetitions taken in turn.
    fn caller(&mut self, repetitions: usize) -> Result<[f64; 2], Failure> {
        let mut variant = Vec::with_capacity(repetitions);
        let mut bare = Vec::with_capacity(repetitions);
        for repetition in 0..repetitions {
            let start = cpu_ns(THREAD);
            self.run::<Bare>(1);
            let middle = cpu_ns(THREAD);
            self.run::<R>(1);
            let end = cpu_ns(THREAD);
            bare.push(middle - start);
            variant.push(end - middle);
            self.settle(1)?;
            if repetition % FORGET_AFTER == 0 {
                self.recording.forget();
            }
        }
        Ok([variant, bare].map(|mut times| median(&mut times) / self.units(1)))
    }

    /// The CPU time of a call on all threads until it is stored, and its time by the clock on the
    /// wall, of calls that are made one after the other for so long.
    ///
    /// On a machine that is busy with something else, calls may be lost: then it does not count.
    fn sustained(&mut self, time: Duration) -> Result<[f64; 2], Failure> {
        for _ in 0..20 {
            let costs = self.try_sustained(time);
            let lost = self.newly_lost();
            if lost == 0 {
                return costs;
            }
            self.lost += lost;
            self.recorded -= lost;
        }
        Err("calls were lost, again and again".into())
    }

    fn try_sustained(&mut self, time: Duration) -> Result<[f64; 2], Failure> {
        let (cpu, start) = (cpu_ns(PROCESS), Instant::now());
        let mut repetitions = 0;
        while start.elapsed() < time {
            self.run::<R>(1);
            repetitions += 1;
            if repetitions % FORGET_AFTER as u64 == 0 {
                self.recording.forget();
            }
        }
        let wall = start.elapsed();
        self.recorded += repetitions * self.roots() * self.case.calls();
        repetitions += self.catch_up()?;
        let cpu = cpu_ns(PROCESS) - cpu;
        self.recording.forget();
        Ok([cpu, wall.as_nanos() as f64].map(|all| all / self.units(repetitions)))
    }

    fn newly_lost(&self) -> u64 {
        self.recording.lost() - self.lost
    }

    /// Waits until all is stored. What waits for a place in the ring of fastrace leaves only when
    /// the same thread records something more: as many repetitions as that takes.
    fn catch_up(&mut self) -> Result<u64, Failure> {
        const TRIES: u64 = 1_000;
        for more in 0..TRIES {
            match self.recording.settle()? {
                Some(recorded) if recorded + self.newly_lost() != self.recorded => {
                    self.run::<R>(1);
                    self.recorded += self.roots() * self.case.calls();
                }
                _ => return Ok(more),
            }
        }
        Err("calls are recorded that never come".into())
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
        .map(|all| all / self.units(1)))
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
        CALLS.div_ceil(self.case.units())
    }

    fn units(&self, repetitions: u64) -> f64 {
        (repetitions * self.roots() * self.case.units()) as f64
    }
}

/// The CPU time of the thread that asks.
pub(crate) const THREAD: ClockId = ClockId::ThreadCPUTime;
/// The CPU time of all threads.
pub(crate) const PROCESS: ClockId = ClockId::ProcessCPUTime;

/// Nanoseconds on a clock of CPU time.
pub(crate) fn cpu_ns(clock: ClockId) -> f64 {
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
