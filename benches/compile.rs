//! What the attributes cost a build: `cargo check` of the same functions, in turns.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::measure::median;
use crate::variants::Failure;

/// How many functions each variant has.
const FUNCTIONS: usize = 300;
/// What our cost may be, of the peer's.
const GOAL: f64 = 1.25;

struct Attribute {
    name: &'static str,
    written: &'static str,
}

const BARE: &str = "bare";
const OURS: &str = "timbal";
const PEER: &str = "fastrace";

const ATTRIBUTES: [Attribute; 4] = [
    Attribute { name: BARE, written: "" },
    Attribute { name: OURS, written: "#[timbal::runnable]" },
    Attribute { name: PEER, written: "#[fastrace::trace]" },
    Attribute { name: "tracing, ret", written: "#[tracing::instrument(ret)]" },
];

/// Measures all of them, so many rounds, and prints the medians.
pub(crate) fn print(rounds: usize) -> Result<(), Failure> {
    let package = Package::new()?;
    // What they depend on is the same for all, and built before anything is measured.
    for attribute in &ATTRIBUTES {
        package.check(attribute)?;
    }
    let mut seconds = [const { Vec::new() }; ATTRIBUTES.len()];
    for round in 1..=rounds {
        eprintln!("round {round} of {rounds}");
        for (attribute, seconds) in ATTRIBUTES.iter().zip(&mut seconds) {
            seconds.push(package.check(attribute)?);
        }
    }
    let medians = seconds.map(|mut seconds| median(&mut seconds));
    println!("| `cargo check` of {FUNCTIONS} functions | CPU s | above bare | of fastrace's |");
    println!("| --- | ---: | ---: | ---: |");
    let above = |name| {
        let found = ATTRIBUTES.iter().zip(medians).find(|(it, _)| it.name == name);
        found.map_or(f64::NAN, |(_, median)| median - medians[0])
    };
    for (attribute, median) in ATTRIBUTES.iter().zip(medians) {
        let cost = above(attribute.name);
        println!("| {} | {median:.2} | {cost:.2} | {:.2} |", attribute.name, cost / above(PEER));
    }
    let ratio = above(OURS) / above(PEER);
    let verdict = if ratio <= GOAL { "met" } else { "missed" };
    println!("\ngoal: at most {GOAL} times what fastrace costs above bare: {ratio:.2}, {verdict}");
    Ok(())
}

/// A package of its own, so that only it is compiled again.
struct Package {
    folder: PathBuf,
}

impl Package {
    fn new() -> Result<Self, Failure> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize()?;
        let folder = root.join("target/compile");
        fs::create_dir_all(folder.join("src"))?;
        fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock"))?;
        fs::write(folder.join("Cargo.toml"), manifest(&root))?;
        Ok(Self { folder })
    }

    /// Checks the functions under this attribute, and says how many CPU seconds that took.
    fn check(&self, attribute: &Attribute) -> Result<f64, Failure> {
        fs::write(self.folder.join("src/lib.rs"), functions(attribute.written)?)?;
        let before = of_children()?;
        let output = Command::new(env!("CARGO"))
            .args(["check", "--offline", "--quiet"])
            .env("CARGO_INCREMENTAL", "0")
            .env("CARGO_TARGET_DIR", self.folder.join("target"))
            .current_dir(&self.folder)
            .output()?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(format!("{}: {}", attribute.name, said.trim()).into());
        }
        Ok(of_children()? - before)
    }
}

fn manifest(root: &Path) -> String {
    let timbal = root.join("timbal");
    let timbal = timbal.display();
    format!(
        r#"[package]
name = "compiled"
version = "0.0.0"
edition = "2024"

[workspace]

[dependencies]
fastrace = {{ version = "0.7", features = ["enable"] }}
serde = {{ version = "1", features = ["derive"] }}
timbal = {{ path = "{timbal}" }}
tracing = "0.1"
"#
    )
}

/// Functions of two and three parameters, most of them async, some that can fail.
fn functions(attribute: &str) -> Result<String, Failure> {
    let mut code = String::from(
        "#[derive(Clone, Debug, serde::Serialize)]\n\
         pub struct Query {\n    pub text: String,\n    pub limit: u64,\n}\n",
    );
    for n in 0..FUNCTIONS {
        let function = match n % 4 {
            0 => {
                "pub async fn f_N(name: String, times: u64) -> String {\n    \
                 if times == 0 {\n        return name;\n    }\n    \
                 name.repeat(times as usize)\n}"
            }
            1 => {
                "pub async fn f_N(query: Query, offset: u64) -> Result<u64, std::num::ParseIntError> {\n    \
                 let n: u64 = query.text.parse()?;\n    Ok(n + offset)\n}"
            }
            2 => {
                "pub async fn f_N(query: Query, text: String, more: u64) -> Query {\n    \
                 std::future::ready(()).await;\n    \
                 Query { text, limit: query.limit + more }\n}"
            }
            _ => {
                "pub fn f_N(a: u64, b: u64, text: String) -> Result<u64, std::num::ParseIntError> {\n    \
                 Ok(a * b + text.parse::<u64>()?)\n}"
            }
        };
        writeln!(code, "\n{attribute}\n{}", function.replace("_N", &format!("_{n}")))?;
    }
    Ok(code)
}

/// The CPU seconds of all processes that this one has waited for.
fn of_children() -> Result<f64, Failure> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    // The second field, a name in parentheses, can hold anything.
    let (_, fields) = stat.rsplit_once(") ").ok_or("no name in /proc/self/stat")?;
    let ticks = fields.split(' ').skip(13).take(2).map(str::parse::<u64>);
    let ticks = ticks.sum::<Result<u64, _>>()?;
    Ok(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
}
