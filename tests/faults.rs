//! What happens to a recorder from outside: its process is killed, its store never answers, the clock
//! is moved.

use std::collections::HashSet;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use futures::executor::block_on;
use timbal::{
    Batch, Clock, JsonlReader, MemoryStore, RunId, Store, StoreError, Timbal, Timestamp, Trace,
    runnable,
};

#[runnable]
fn echo(text: String) -> String {
    text
}

fn child(command: &str) -> Command {
    let mut child = Command::new(env!("CARGO_BIN_EXE_child"));
    child.arg(command).stdout(Stdio::piped()).stderr(Stdio::piped());
    child
}

/// A call is in the store 100 milliseconds after its end; so late it is if the machine is busy.
const LATE: u64 = 1_000_000;

#[test]
fn what_ended_before_the_last_moment_survives_the_process() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("traces.jsonl");
    let mut process = child("acknowledge").arg(&path).spawn().unwrap();
    let mut acknowledged: Vec<(u64, String)> = Vec::new();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    while acknowledged.last().is_none_or(|(micros, _)| *micros < 2 * LATE) {
        let line = lines.next().unwrap().unwrap();
        let (micros, run) = line.split_once(' ').unwrap();
        acknowledged.push((micros.parse().unwrap(), run.to_owned()));
    }
    process.kill().unwrap(); // SIGKILL
    process.wait().unwrap();

    let mut reader = JsonlReader::open(&path).unwrap();
    let roots = reader.by_ref().map(Result::unwrap).filter(|span| span.path == "root");
    let there: HashSet<String> = roots.map(|span| span.run_id.to_string()).collect();
    assert!(reader.skipped() <= 1, "{} lines", reader.skipped());
    let last = acknowledged.last().unwrap().0;
    let due = acknowledged.iter().filter(|(micros, _)| micros + LATE <= last);
    let missing = due.clone().filter(|(_, run)| !there.contains(run)).count();
    assert_eq!(missing, 0, "of {} runs", due.count());
}

#[test]
fn a_process_exits_also_if_its_store_never_answers() {
    let mut command = child("never-answers");
    let done = command.spawn().unwrap().wait_with_output().unwrap();
    assert!(done.status.success());
    let counts = String::from_utf8(done.stdout).unwrap();
    let counts: Vec<u64> = counts.split_whitespace().map(|n| n.parse().unwrap()).collect();
    let [queued, lost, written, kilobytes] = counts[..] else { panic!("{counts:?}") };
    assert_eq!((queued + lost, written), (200_000, 0));
    // All of them would be 400 megabytes; 8 threads at most have a place for 8 each.
    assert!(queued * 2_000 < 64 << 20, "{queued} calls");
    assert!(kilobytes < 150_000, "{kilobytes} kilobytes");
    let said = String::from_utf8(done.stderr).unwrap();
    assert_eq!(said, format!("timbal: {queued} calls are not written after 300ms\n"));
}

#[test]
fn what_fails_is_said_once_on_standard_error() {
    let done = child("fails").spawn().unwrap().wait_with_output().unwrap();
    assert_eq!(String::from_utf8(done.stdout).unwrap(), "1\n");
    let said = String::from_utf8(done.stderr).unwrap();
    assert_eq!(said, "timbal: the store failed: no space left on device\n");
}

#[test]
fn a_flood_is_written_whole() {
    let store = MemoryStore::new().with_max_spans(usize::MAX).with_max_bytes(usize::MAX);
    let timbal = Timbal::builder().store(store.clone()).build();
    let root = timbal::call!("root", async {
        (0..100_000).for_each(|n| {
            echo(format!("{n}"));
        });
    });
    block_on(root.recorded_by(&timbal));
    block_on(timbal.flush()).unwrap();
    let health = timbal.health();
    assert_eq!((health.written, health.lost, health.queued), (100_001, 0, 0));
    // If it took long, the first call was also put while it was running.
    assert!((100_001..=100_002).contains(&store.len()), "{}", store.len());
}

#[test]
fn a_store_that_fails_every_other_time_gets_all_in_order() {
    struct Flaky(MemoryStore, AtomicBool);
    impl Store for Flaky {
        fn put(&self, batch: &Batch) -> Result<(), StoreError> {
            match self.1.fetch_not(Ordering::Relaxed) {
                false => Err(StoreError::failed("it is locked")),
                true => self.0.put(batch),
            }
        }
        fn trace(&self, run_id: RunId) -> Result<Option<Trace>, StoreError> {
            self.0.trace(run_id)
        }
    }
    let store = MemoryStore::new();
    let timbal = Timbal::builder().store(Flaky(store.clone(), AtomicBool::new(false))).build();
    let root = timbal::call!("root", async {
        (0..5_000).for_each(|n| {
            echo(format!("{n}"));
        });
        timbal::current().unwrap().run_id()
    });
    let run = block_on(root.recorded_by(&timbal));
    let trace = block_on(timbal.trace(run)).unwrap().unwrap();
    assert!(trace.spans.iter().enumerate().all(|(n, span)| span.seq == n as u64));
    assert_eq!((trace.spans.len(), store.len(), timbal.health().lost), (5_001, 5_001, 0));
}

/// A wall clock that is an hour earlier each time that it is read.
#[derive(Default)]
struct Backwards(AtomicU64);

const HOUR: u64 = 3_600_000;

impl Clock for Backwards {
    fn wall(&self) -> Timestamp {
        let hours = self.0.fetch_add(1, Ordering::Relaxed);
        Timestamp::from_millis(1_640_995_200_000 - hours * HOUR)
    }

    fn monotonic(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::Relaxed) * HOUR / 2)
    }
}

#[test]
fn a_wall_clock_that_jumps_back_harms_nothing() {
    let timbal = Timbal::builder().clock(Backwards::default()).build();
    let root = || {
        let root = timbal::call!("root", async {
            echo("a".into());
            timbal::current().unwrap().run_id()
        });
        block_on(root.recorded_by(&timbal))
    };
    let runs: Vec<RunId> = (0..10).map(|_| root()).collect();
    for run in runs {
        let trace = block_on(timbal.trace(run)).unwrap().unwrap();
        let [first, second] = &trace.spans[..] else { panic!("{trace}") };
        assert_eq!((first.path.as_str(), second.path.as_str()), ("root", "root.echo"));
        assert!(first.t0 <= second.t0 && second.t1 <= first.t1 && first.t0 <= first.t1);
    }
    assert_eq!((timbal.health().written, timbal.health().lost), (20, 0));
}
