//! Measures timbal side by side with other libraries: `cargo run -p timbal-bench --release`.
//!
//! What records is installed once in a process, so each variant has processes of its own: this
//! program starts itself again for each figure, in turns, and takes the medians.

// Ten futures of `#[tracing::instrument(ret)]`, each in the one before, are deeper than 128.
#![recursion_limit = "256"]

mod allocator;
mod measure;
mod table;
mod variants;
mod workload;

use std::process::{Command, ExitCode};

use crate::measure::{Cost, Effort};
use crate::table::Table;
use crate::variants::{ALL, Failure};
use crate::workload::Case;

const USAGE: &str = "\
usage: timbal-bench [--quick]

  --quick   few repetitions: shows that everything is recorded, not what it costs";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments[..] {
        [] => compare(Speed::Full),
        ["--quick"] => compare(Speed::Quick),
        ["--help" | "-h"] => {
            println!("{USAGE}");
            Ok(())
        }
        // What this program says to itself.
        [MEASURE, case, variant, speed] => measure_one(case, variant, speed),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
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
            Self::Full => 15,
            Self::Quick => 1,
        }
    }

    fn effort(self) -> Effort {
        match self {
            Self::Full => Effort { repetitions: 201, bursts: 25 },
            Self::Quick => Effort { repetitions: 3, bursts: 1 },
        }
    }
}

/// Measures every case of every variant, a few rounds, and prints the table.
fn compare(speed: Speed) -> Result<(), Failure> {
    let mut table = Table::default();
    for round in 1..=speed.rounds() {
        eprintln!("round {round} of {}", speed.rounds());
        for case in Case::ALL {
            for variant in ALL {
                let cost = spawn(case, variant.name, speed)
                    .map_err(|error| format!("{}, {}: {error}", variant.name, case.name()))?;
                table.push(case, variant.name, cost);
            }
        }
    }
    println!("{table}");
    println!("{}", machine());
    Ok(())
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

fn measure_one(case: &str, variant: &str, speed: &str) -> Result<(), Failure> {
    let case = Case::ALL.into_iter().find(|known| known.name() == case).ok_or("no such case")?;
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
