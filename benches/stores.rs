//! What a SQLite file takes: to write, beside bare rusqlite, and to read when it is large.

use std::path::Path;
use std::time::{Duration, Instant};

use futures::executor::block_on;
use rustix::time::{ClockId, clock_gettime};
use timbal::{
    Batch, CallId, Definition, Filter, OutputEvent, Payload, RunId, Span, SqliteStore, StartEvent,
    StatsQuery, StatusCode, Store, Timbal, Timestamp, runnable,
};

use crate::bare_sqlite::Bare;
use crate::place::Place;
use crate::variants::Failure;

/// How much is measured.
#[derive(Clone, Copy)]
pub(crate) struct Size {
    pub(crate) rounds: usize,
    /// Runs that are written in a round, and that the large file has, of [`CALLS`] calls each.
    pub(crate) written: u64,
    kept: u64,
}

impl Size {
    pub(crate) const FULL: Self = Self { rounds: 9, written: 300, kept: 10_000 };
    pub(crate) const QUICK: Self = Self { rounds: 1, written: 5, kept: 50 };
}

/// The calls of a run: one batch, and one transaction.
pub(crate) const CALLS: u64 = 100;
/// The runs of a day, in the large file.
const RUNS_A_DAY: u64 = 1_000;
/// When its first run starts.
const START: u64 = 1_640_995_200_000_000_000;

/// Measures all, and prints it.
pub(crate) fn print(size: Size) -> Result<(), Failure> {
    write_rate(size)?;
    callers_share(size)?;
    read_times(size)
}

/// Spans of about 1.1 KB: a root, and three kinds of calls below it.
pub(crate) fn spans(run: u64) -> Vec<Span> {
    (1..=CALLS).rev().map(|call| span(run, call)).collect()
}

fn span(run: u64, call: u64) -> Span {
    let (path, name) = match call {
        1 => ("index", "index"),
        call if call % 3 == 0 => ("index.count", "count"),
        call if call % 3 == 1 => ("index.count.read", "read"),
        _ => ("index.save", "save"),
    };
    let run_id = RunId::from_u128(u128::from(START + run) << 64 | u128::from(hash(run)));
    let id = |call: u64| CallId::from_u64(hash(run ^ call << 32)).expect("a hash is not zero");
    let run_id = run_id.expect("it is not zero");
    let mut start = StartEvent::new(run_id, id(call), path);
    start.parent_call_id = (call > 1).then(|| id(1));
    let day = Duration::from_secs(86_400).as_nanos() as u64;
    let t0 = START + run * (day / RUNS_A_DAY) + call * 1_000;
    let mut done = OutputEvent::new(start, Timestamp::from_nanos(t0));
    done.t1 = Timestamp::from_nanos(t0 + hash(call + run) % 1_000_000);
    done.input = Payload::new(&serde_json::json!({ "path": format!("src/{run}/{call}.rs") }));
    done.output = Payload::new(&"words and more words ".repeat(50));
    done.usage = [("tokens".to_owned(), call)].into();
    if run % 50 == 7 && call == 1 {
        done.status = StatusCode::Error.into();
    }
    let mut span = Span::new(done, Definition::new(name));
    span.seq = call;
    span.usage_own = span.usage.clone();
    span
}

/// Spreads numbers over 64 bits.
fn hash(number: u64) -> u64 {
    (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29).wrapping_mul(0xbf58_476d) | 1
}

/// Writes the same spans by the store and without it, in turns, into new files.
fn write_rate(size: Size) -> Result<(), Failure> {
    let runs: Vec<Vec<Span>> = (0..size.written).map(spans).collect();
    let (mut stored, mut bare, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..size.rounds {
        let place = Place::new("write")?;
        let batches: Vec<Batch> = runs.iter().map(|run| run.iter().cloned().collect()).collect();
        let store = SqliteStore::open(place.path().join("store.db"))?;
        let by_store = time(|| batches.iter().try_for_each(|batch| store.put(batch)))?;
        let mut without = Bare::open(&place.path().join("bare.db"), &runs)?;
        let by_hand = time(|| without.write())?;
        stored.push(by_store);
        bare.push(by_hand);
        ratios.push(by_hand.as_secs_f64() / by_store.as_secs_f64());
    }
    let spans = (size.written * CALLS) as f64;
    let rate = |times: &mut Vec<Duration>| spans / median(times).as_secs_f64() / 1_000.0;
    println!("writing spans of 1.1 KB, {CALLS} a transaction, each synced:");
    println!("  store         {:>8.1} k spans/s", rate(&mut stored));
    println!("  bare rusqlite {:>8.1} k spans/s", rate(&mut bare));
    ratios.sort_by(f64::total_cmp);
    println!("  store/bare    {:>8.2} (goal: 0.70 or more)", ratios[ratios.len() / 2]);
    Ok(())
}

#[runnable]
async fn add(a: u64, b: u64) -> u64 {
    a + b
}

#[runnable]
async fn adds() -> u64 {
    let mut sum = 0;
    for n in 1..CALLS {
        sum = add(sum, n).await;
    }
    sum
}

/// The CPU time that recording takes from the thread that calls.
fn callers_share(size: Size) -> Result<(), Failure> {
    let place = Place::new("caller")?;
    let store = SqliteStore::open(place.path().join("traces.db"))?;
    let timbal = Timbal::builder().store(store).build();
    let mut times = Vec::new();
    for _ in 0..size.rounds * 10 {
        let start = thread_time();
        for _ in 0..20 {
            block_on(adds().recorded_by(&timbal));
        }
        times.push((thread_time() - start) / (20 * CALLS as u32));
        block_on(timbal.flush())?;
    }
    let lost = timbal.health().lost;
    if lost > 0 {
        return Err(format!("{lost} spans were lost").into());
    }
    println!("a call, recorded in a file:");
    println!("  its thread    {:>8.0?} a span (goal: under 1 µs)", median(&mut times));
    Ok(())
}

fn thread_time() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}

/// Reads from a large file what people look at.
fn read_times(size: Size) -> Result<(), Failure> {
    let place = Place::new("read")?;
    let file = place.path().join("traces.db");
    fill(&file, size.kept)?;
    let store = SqliteStore::open(&file)?;
    println!("reading, of {} spans:", size.kept * CALLS);

    let mut number = 0;
    let mut any = || {
        number = (number + 7_919) % size.kept;
        span(number, 1)
    };
    measure("a run's tree", 5, || {
        let trace = store.trace(any().run_id)?.ok_or("it is not there")?;
        expect(trace.spans.len() as u64, CALLS)
    })?;
    let newest = Filter::new();
    measure("a page of runs", 20, || {
        expect(store.runs(&newest)?.runs.len() as u64, size.kept.min(100))
    })?;
    measure("a page, somewhere", 20, || {
        let root = any();
        store.runs(&newest.clone().until(root.t0)).map(drop).map_err(Failure::from)
    })?;
    measure("a page of errors", 20, || {
        let page = store.runs(&Filter::new().status(StatusCode::Error).path("index"))?;
        expect(page.runs.len() as u64, (size.kept / 50).min(100))
    })?;
    let day = Duration::from_secs(86_400);
    let since = span(size.kept / 2, 1).t0;
    let until = Timestamp::from_nanos(since.as_nanos() + day.as_nanos() as u64);
    let query = StatsQuery::new().path("index.count.read").since(since).until(until);
    let query = query.bucket(Duration::from_secs(3_600));
    measure("a path over a day", 100, || {
        let counted: u64 = store.stats(&query)?.paths.iter().map(|path| path.count).sum();
        let runs = (size.kept / 2).min(RUNS_A_DAY);
        expect(counted.div_ceil(33), runs)
    })
}

fn fill(file: &Path, runs: u64) -> Result<(), Failure> {
    let store = SqliteStore::open(file)?;
    for first in (0..runs).step_by(10) {
        store.put(&(first..runs.min(first + 10)).flat_map(spans).collect())?;
    }
    Ok(())
}

/// Prints the median of what something takes.
fn measure(
    what: &str,
    goal_ms: u64,
    mut act: impl FnMut() -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut times = Vec::new();
    for _ in 0..51 {
        times.push(time(&mut act)?);
    }
    let took = median(&mut times);
    println!("  {what:<18} {took:>8.2?} (goal: under {goal_ms} ms)");
    Ok(())
}

pub(crate) fn time<E>(act: impl FnOnce() -> Result<(), E>) -> Result<Duration, Failure>
where
    Failure: From<E>,
{
    let start = Instant::now();
    act()?;
    Ok(start.elapsed())
}

pub(crate) fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn expect(found: u64, expected: u64) -> Result<(), Failure> {
    if found == expected {
        Ok(())
    } else {
        Err(format!("{found} are there, not {expected}").into())
    }
}
