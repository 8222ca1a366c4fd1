//! Measures timbal side by side with other libraries: `cargo run -p timbal-bench --release`.
//!
//! What records is installed once in a process, so each variant has processes of its own: this
//! program starts itself again for each figure, in turns, and takes the medians.

// Ten futures of `#[tracing::instrument(ret)]`, each in the one before, are deeper than 128.
#![recursion_limit = "256"]

mod allocator;
mod bare_sqlite;
mod compile;
mod goals;
mod kill;
mod measure;
mod place;
mod postgres;
mod scaled;
mod scaling;
mod stores;
mod table;
mod tries;
mod variants;
mod workload;

use std::process::{Command, ExitCode};
use std::time::Duration;

use crate::measure::{Cost, Effort};
use crate::table::Table;
use crate::variants::{ALL, Failure};
use crate::workload::Case;

const USAGE: &str = "\
usage: timbal-bench [--quick] [CASE... | scaling | stores | postgres | compile]
       timbal-bench kill TRIALS

  --quick   few repetitions: shows that everything is recorded, not what it costs
  CASE      root, child, deep, fan-out, yielding or stream; without one, all of them
  scaling   what a call costs in long runs, deep down, and on many threads
  stores    what a SQLite file takes to write, beside bare rusqlite, and to read
  postgres  what PostgreSQL takes to write, beside bare tokio-postgres: TIMBAL_TEST_POSTGRES is its URL
  compile   what the attribute costs a build
  kill      kills processes that record, and counts what is missing then";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments[..] {
        ["--help" | "-h"] => {
            println!("{USAGE}");
            Ok(())
        }
        // What this program says to itself.
        [MEASURE, case, variant, speed] => measure_one(case, variant, speed),
        [kill::RECORD, mode, file] => kill::record(mode, file),
        ["kill", trials] => kill::print(trials),
        ["stores"] => stores::print(stores::Size::FULL),
        ["--quick", "stores"] => stores::print(stores::Size::QUICK),
        ["postgres"] => postgres::print(stores::Size::FULL),
        ["--quick", "postgres"] => postgres::print(stores::Size::QUICK),
        ["scaling"] => scaling::print(Speed::Full.rounds()),
        ["--quick", "scaling"] => scaling::print(Speed::Quick.rounds()),
        ["compile"] => compile::print(Speed::Full.rounds()),
        ["--quick", "compile"] => compile::print(Speed::Quick.rounds()),
        ["--quick", ref cases @ ..] => compare(Speed::Quick, cases),
        ref cases => compare(Speed::Full, cases),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

const MEASURE: &str = "measure";

#[derive(Clone, Copy)]
enum Speed {
    Full,
    Quick,
}

impl Speed {
    fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Quick => "quick",
        }
    }

    fn rounds(self) -> usize {
        match self {
            Self::Full => 9,
            Self::Quick => 1,
        }
    }

    fn effort(self) -> Effort {
        match self {
            Self::Full => Effort { repetitions: 201, sustained: Duration::from_millis(500) },
            Self::Quick => Effort { repetitions: 3, sustained: Duration::from_millis(5) },
        }
    }
}

/// Measures the cases of every variant, a few rounds, and prints the table.
fn compare(speed: Speed, cases: &[&str]) -> Result<(), Failure> {
    let mut cases = cases.iter().map(|name| case(name)).collect::<Result<Vec<_>, _>>()?;
    if cases.is_empty() {
        cases.extend(Case::ALL);
    }
    let mut table = Table::default();
    for round in 1..=speed.rounds() {
        eprintln!("round {round} of {}", speed.rounds());
        for &case in &cases {
            for variant in ALL.iter().filter(|variant| variant.cases.contains(&case)) {
                let cost = spawn(case, variant.name, speed)
                    .map_err(|error| format!("{}, {}: {error}", variant.name, case.name()))?;
                table.push(case, variant.name, cost);
            }
        }
    }
    let (tries, spread) = tries::measure()?;
    println!("{table}");
    println!("{}", goals::of(&table));
    println!("a `?` that succeeds: {tries:+.2} ns when it is noted, ± {spread:.2}");
    println!("{}", machine());
    Ok(())
}

fn case(name: &str) -> Result<Case, Failure> {
    let known = Case::ALL.into_iter().find(|case| case.name() == name);
    Ok(known.ok_or_else(|| format!("there is no case `{name}`\n\n{USAGE}"))?)
}

/// Starts this program again, for one figure.
fn spawn(case: Case, variant: &str, speed: Speed) -> Result<Cost, Failure> {
    let output = Command::new(std::env::current_exe()?)
        .args([MEASURE, case.name(), variant, speed.name()])
        .output()?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{}: {}", output.status, said.trim()).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn measure_one(name: &str, variant: &str, speed: &str) -> Result<(), Failure> {
    let case = case(name)?;
    let variant = ALL.iter().find(|known| known.name == variant).ok_or("no such variant")?;
    let speed = if speed == Speed::Quick.name() { Speed::Quick } else { Speed::Full };
    let cost = (variant.measure)(case, speed.effort())?;
    println!("{}", serde_json::to_string(&cost)?);
    Ok(())
}

/// Where and when it was measured.
fn machine() -> String {
    let cpus = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpus
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or("unknown CPU", |(_, model)| model);
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let date = Command::new("date").args(["-u", "+%F"]).output().ok();
    let date = date.and_then(|output| String::from_utf8(output.stdout).ok()).unwrap_or_default();
    format!("{model}, {cores} cores, {}, {}", env!("RUSTC_VERSION"), date.trim())
}
