//! Kills processes that record, at random, and looks whether what they acknowledged is there.

use std::io::{BufRead, BufReader, Write, stdout};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use futures::executor::block_on;
use rustix::time::{ClockId, clock_gettime};
use timbal::{Durability, RunId, SqliteStore, Store, Timbal, runnable};

use crate::place::Place;
use crate::variants::Failure;

/// What this program says to itself: records runs in a file until it is killed.
pub(crate) const RECORD: &str = "record";

/// How many calls the runs have: the root, and so many in a row.
const CALLS: u64 = 10;

/// How long a process lives at random, and one in the background beyond what it may lose.
const LONGEST: Duration = Duration::from_millis(200);

/// What one in the background may lose: what was said less than 100 ms ago, and a batch.
const MAY_BE_LOST: Duration = Duration::from_millis(100 + BATCH_MS);
/// A batch is 512 spans: a few milliseconds of SQLite, and a few of a slow disk's sync.
const BATCH_MS: u64 = 100;

/// Does so many trials, and prints what became of them.
pub(crate) fn print(trials: &str) -> Result<(), Failure> {
    let trials: u64 = trials.parse().map_err(|_| "expected a number of trials")?;
    for (mode, allowed) in [("committed", Duration::ZERO), ("background", MAY_BE_LOST)] {
        let mut sum = Trial::default();
        let mut random = Random(std::process::id().into());
        for number in 0..trials {
            let trial = kill_one(mode, allowed + random.next(LONGEST), allowed, number)?;
            sum.acknowledged += trial.acknowledged;
            sum.missing += trial.missing;
        }
        let Trial { acknowledged, missing } = sum;
        println!("{mode}: {trials} kills, {acknowledged} runs acknowledged, {missing} missing");
        if missing > 0 {
            return Err(format!("{missing} acknowledged runs are missing").into());
        }
    }
    Ok(())
}

/// What became of the runs of one process, or of several.
#[derive(Default)]
struct Trial {
    acknowledged: u64,
    missing: u64,
}

/// Lets a process record until it is killed, and looks into its file.
fn kill_one(mode: &str, life: Duration, allowed: Duration, number: u64) -> Result<Trial, Failure> {
    let place = Place::new(&format!("kill-{mode}-{number}"))?;
    let file = place.path().join("traces.db");
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(RECORD).arg(mode).arg(&file).stdout(Stdio::piped());
    let mut process = command.spawn()?;
    let mut lines = BufReader::new(process.stdout.take().expect("it is piped")).lines();
    // It is killed while it records: the first line says that it does.
    let mut said: Vec<String> = lines.by_ref().take(1).collect::<Result<_, _>>()?;
    let killer = std::thread::spawn(move || {
        std::thread::sleep(life);
        let now = monotonic();
        process.kill().and_then(|()| process.wait()).map(|_| now)
    });
    for line in lines {
        said.push(line?); // the last may be torn, and then it says nothing
    }
    let killed = killer.join().expect("it only waits")?;
    let acknowledged: Vec<RunId> = said
        .iter()
        .filter_map(|line| parse(line))
        .filter(|(time, _)| allowed.is_zero() || *time + allowed <= killed)
        .map(|(_, run)| run)
        .collect();
    look(&file, &acknowledged)
}

/// What a line acknowledges, and when it was said.
fn parse(line: &str) -> Option<(Duration, RunId)> {
    let (time, run) = line.strip_suffix('.')?.split_once(' ')?;
    Some((Duration::from_nanos(time.parse().ok()?), run.parse().ok()?))
}

/// Counts the runs that are not there whole, and checks that the file is sound.
fn look(file: &Path, acknowledged: &[RunId]) -> Result<Trial, Failure> {
    let store = SqliteStore::open(file)?;
    let mut missing = 0;
    for run in acknowledged {
        let spans = store.trace(*run)?.map_or(0, |trace| trace.spans.len() as u64);
        missing += u64::from(spans != CALLS + 1);
    }
    let connection = rusqlite::Connection::open(file)?;
    let said: String = connection.query_one("PRAGMA integrity_check", [], |row| row.get(0))?;
    if said != "ok" {
        return Err(format!("`{}` is broken: {said}", file.display()).into());
    }
    Ok(Trial { acknowledged: acknowledged.len() as u64, missing })
}

#[runnable]
async fn work(number: u64) -> RunId {
    for part in 0..CALLS {
        step(number, part).await;
    }
    timbal::current().expect("it is recorded").run_id()
}

#[runnable]
async fn step(number: u64, part: u64) -> String {
    format!("part {part} of work {number}, which is kept or was never acknowledged")
}

/// Records runs until this process is killed. Says each that is acknowledged, and when.
pub(crate) fn record(mode: &str, file: &str) -> Result<(), Failure> {
    let durability = match mode {
        "committed" => Durability::Committed { within: Duration::from_secs(60) },
        _ => Durability::Background,
    };
    let store = SqliteStore::open(file)?;
    let timbal = Timbal::builder().store(store).durability(durability).build();
    let mut out = stdout();
    for number in 0.. {
        let run = block_on(work(number).recorded_by(&timbal));
        let ended = monotonic();
        if durability == Durability::Background {
            std::thread::sleep(Duration::from_millis(1)); // as fast as a store keeps up with
        }
        writeln!(out, "{} {run}.", ended.as_nanos())?;
    }
    Ok(())
}

/// The same clock in all processes, which never goes back.
fn monotonic() -> Duration {
    let now = clock_gettime(ClockId::Monotonic);
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}

/// Numbers that differ from trial to trial: a linear congruential generator will do.
struct Random(u64);

impl Random {
    fn next(&mut self, below: Duration) -> Duration {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        Duration::from_nanos((self.0 >> 33) % below.as_nanos() as u64)
    }
}
