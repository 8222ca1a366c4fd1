//! The calls whose cost is measured as their runs grow: plain, and recorded.

use std::sync::Barrier;

use crate::measure::{THREAD, cpu_ns};

/// What was done to measure a point.
pub(crate) struct Made {
    pub(crate) calls: u64,
    /// The CPU time of the threads that called.
    pub(crate) caller_ns: f64,
}

/// Calls of a point at least, about, so that it is no matter of luck.
const CALLS: u64 = 10_000;

/// Calls of each thread, in rows of [`ROW`] calls and what made them.
const CALLS_OF_THREAD: u64 = 2_020;
const ROW: u64 = 100;

/// Writes the functions of this page, all with this attribute.
macro_rules! scaled {
    ($name:ident: $(#[$attribute:meta])?) => {
        pub(crate) mod $name {
            use futures::future::BoxFuture;

            use super::{CALLS, CALLS_OF_THREAD, Made, ROW, Work, on_threads, one_thread};
            use crate::workload::{A, B, poll};

            /// Calls in a row.
            $(#[$attribute])?
            pub(crate) async fn row(calls: u64) -> u64 {
                let mut sum = 0;
                for _ in 0..calls {
                    sum += add(A, B).await;
                }
                sum
            }

            $(#[$attribute])?
            async fn add(a: u64, b: u64) -> u64 {
                std::hint::black_box(a) + std::hint::black_box(b)
            }

            /// Calls each of which makes the next, and how many they were.
            $(#[$attribute])?
            pub(crate) fn shaft(depth: u64) -> BoxFuture<'static, u64> {
                Box::pin(async move { if depth == 1 { 1 } else { 1 + shaft(depth - 1).await } })
            }

            /// Calls of one run on many threads, and the CPU time of these.
            $(#[$attribute])?
            pub(crate) async fn spread(threads: u64) -> f64 {
                let rows = CALLS_OF_THREAD / (ROW + 1);
                let work = |_| -> Work<'_> {
                    let rows: Vec<_> = (0..rows).map(|_| row(ROW)).collect();
                    Box::new(|| rows.into_iter().map(poll).sum())
                };
                on_threads((0..threads).map(work).collect())
            }

            pub(crate) fn rows(point: u64) -> Made {
                let roots = CALLS.div_ceil(point + 1);
                one_thread(roots * (point + 1), || (0..roots).map(|_| poll(row(point))).sum())
            }

            pub(crate) fn shafts(point: u64) -> Made {
                let roots = CALLS.div_ceil(point);
                one_thread(roots * point, || (0..roots).map(|_| poll(shaft(point))).sum())
            }

            pub(crate) fn one_run(threads: u64) -> Made {
                Made { calls: 1 + threads * CALLS_OF_THREAD, caller_ns: poll(spread(threads)) }
            }

            pub(crate) fn many_runs(threads: u64) -> Made {
                let roots = CALLS_OF_THREAD / (ROW + 1);
                let work = |_| -> Work<'_> {
                    Box::new(move || (0..roots).map(|_| poll(row(ROW))).sum())
                };
                let caller_ns = on_threads((0..threads).map(work).collect());
                Made { calls: threads * CALLS_OF_THREAD, caller_ns }
            }
        }
    };
}

scaled!(bare:);
scaled!(recorded: #[timbal::runnable]);

/// Work for a thread, which gives the sum of what its calls returned.
type Work<'a> = Box<dyn FnOnce() -> u64 + Send + 'a>;

fn one_thread(calls: u64, work: impl FnOnce() -> u64) -> Made {
    let start = cpu_ns(THREAD);
    std::hint::black_box(work());
    Made { calls, caller_ns: cpu_ns(THREAD) - start }
}

/// Works on so many threads at once, and gives the CPU time of all.
fn on_threads(work: Vec<Work<'_>>) -> f64 {
    let start = Barrier::new(work.len());
    let timed = |work: Work<'_>| {
        start.wait();
        one_thread(0, work).caller_ns
    };
    std::thread::scope(|scope| {
        let timed = &timed;
        let threads: Vec<_> =
            work.into_iter().map(|work| scope.spawn(move || timed(work))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or(f64::NAN)).sum()
    })
}
