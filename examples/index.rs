//! Counts the words of the files in a directory: `cargo run --example index -- DIR`.

mod history;

use std::collections::HashMap;
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use futures::{StreamExt, stream};
use ignore::WalkBuilder;
use serde::{Deserialize, Serialize};
use timbal::{CallError, Event, RunId, Timbal, Trace, runnable};
use tokio::{fs, task};

const USAGE: &str = "\
usage: index [DIR] [--history | --show RUN_ID | --stats]

Counts the words of the text files in DIR (default: here), except what .gitignore names.
An option says something of the runs until then; without a DIR nothing is counted before.

  --history       lists the last runs
  --show RUN_ID   shows a run: its calls, and why the first that failed did
  --stats         shows how often each path was called, how long that took, and what it used

Runs are kept in timbal/index.db of $XDG_STATE_HOME (default: ~/.local/state), or where
TIMBAL_STORE says, such as `memory` or `sqlite:FILE`.";

/// How many files are read at a time.
const AT_A_TIME: usize = 16;
/// How many lines of one kind are printed at most.
const LINES: usize = 20;

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("cannot open `{}`", path.display())]
    Open { path: PathBuf, source: io::Error },
    #[error("`{}` is not a directory", .0.display())]
    NotADirectory(PathBuf),
    #[error("cannot read `{}`", path.display())]
    Read { path: PathBuf, source: io::Error },
}

/// What is known of a directory in the end.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Report {
    files: usize,
    failed: usize,
    bytes: usize,
    words: usize,
    frequent: Vec<(String, usize)>,
}

/// What is known of one file.
#[derive(Debug, Default, Serialize)]
struct Count {
    bytes: usize,
    words: usize,
    #[serde(skip)]
    frequencies: HashMap<String, usize>,
}

/// Counts the words of all files. A file that cannot be read is counted too, and stops nothing.
#[runnable]
async fn index(dir: PathBuf) -> Result<Report, Error> {
    let found = fs::metadata(&dir).await;
    let found = found.map_err(|source| Error::Open { path: dir.clone(), source })?;
    if !found.is_dir() {
        return Err(Error::NotADirectory(dir));
    }
    let (files, unlisted) = task::block_in_place(|| list(&dir));
    let mut report = Report { failed: unlisted.len(), ..Report::default() };
    for error in unlisted.iter().take(LINES) {
        timbal::emit(error.to_string()).await;
    }

    let total = files.len();
    let step = (total / 10).max(1);
    let mut frequencies = HashMap::new();
    let mut counts = stream::iter(files).map(count).buffer_unordered(AT_A_TIME);
    while let Some(counted) = counts.next().await {
        match counted {
            Ok(count) => {
                report.bytes += count.bytes;
                report.words += count.words;
                for (word, times) in count.frequencies {
                    *frequencies.entry(word).or_default() += times;
                }
            }
            Err(_) => report.failed += 1, // the trace says why
        }
        report.files += 1;
        if report.files.is_multiple_of(step) || report.files == total {
            timbal::emit(format!("{} of {total} files", report.files)).await;
        }
    }
    report.frequent = most_frequent(frequencies);
    Ok(report)
}

/// Counts the words of one file.
#[runnable]
async fn count(path: PathBuf) -> Result<Count, Error> {
    let text = read(&path).await?;
    let mut count = Count { bytes: text.len(), ..Count::default() };
    for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        count.words += 1;
        *count.frequencies.entry(word.to_lowercase()).or_default() += 1;
    }
    timbal::usage("bytes", count.bytes as u64);
    timbal::usage("words", count.words as u64);
    Ok(count)
}

/// Reads one file. Its text is not recorded.
#[runnable(skip_output)]
async fn read(path: &Path) -> Result<String, Error> {
    let text = fs::read_to_string(path).await;
    text.map_err(|source| Error::Read { path: path.to_owned(), source })
}

/// The files of a directory, and why there may be more of them.
fn list(dir: &Path) -> (Vec<PathBuf>, Vec<ignore::Error>) {
    let (mut files, mut errors) = (Vec::new(), Vec::new());
    for entry in WalkBuilder::new(dir).require_git(false).build() {
        match entry {
            // A link that leads nowhere is left to `read`, which says so.
            Ok(entry) if entry.path().metadata().map_or(true, |found| found.is_file()) => {
                files.push(entry.into_path());
            }
            Ok(_) => {}
            Err(error) => errors.push(error),
        }
    }
    (files, errors)
}

fn most_frequent(frequencies: HashMap<String, usize>) -> Vec<(String, usize)> {
    let mut words: Vec<_> = frequencies.into_iter().collect();
    words.sort_by(|(a, times_a), (b, times_b)| times_b.cmp(times_a).then_with(|| a.cmp(b)));
    words.truncate(5);
    words
}

/// What is asked for on the command line.
struct Asked {
    /// What is counted.
    dir: Option<PathBuf>,
    /// What is said then.
    earlier: Option<Earlier>,
}

/// What is asked of earlier runs.
enum Earlier {
    History,
    Show(RunId),
    Stats,
}

impl Asked {
    fn parse(arguments: &[OsString]) -> Option<Self> {
        let (dir, options) = match arguments {
            [dir, options @ ..] if !dir.as_encoded_bytes().starts_with(b"-") => {
                (Some(PathBuf::from(dir)), options)
            }
            options => (None, options),
        };
        let options: Option<Vec<&str>> = options.iter().map(|option| option.to_str()).collect();
        let earlier = match options?[..] {
            [] => return Some(Self { dir: dir.or(Some(PathBuf::from("."))), earlier: None }),
            ["--history"] => Earlier::History,
            ["--show", run] => Earlier::Show(run.parse().ok()?),
            ["--stats"] => Earlier::Stats,
            _ => return None,
        };
        Some(Self { dir, earlier: Some(earlier) })
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--help" || argument == "-h") {
        println!("{USAGE}");
        return ExitCode::SUCCESS;
    }
    let Some(asked) = Asked::parse(&arguments) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    match answer(asked, &mut io::stdout()).await {
        Err(error) if !is_closed_pipe(&*error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
        _ => ExitCode::SUCCESS,
    }
}

async fn answer(asked: Asked, out: &mut impl Write) -> Result<(), Box<dyn std::error::Error>> {
    let guard = history::recorder()?.install()?;
    let timbal = guard.timbal();
    let Asked { dir, earlier } = asked;
    if let Some(dir) = dir {
        run(timbal, dir, out).await?;
        if earlier.is_some() {
            writeln!(out)?;
        }
    }
    match earlier {
        None => Ok(()),
        Some(Earlier::History) => history::print_runs(timbal, out).await,
        Some(Earlier::Show(run_id)) => history::print_run(timbal, run_id, out).await,
        Some(Earlier::Stats) => history::print_stats(timbal, out).await,
    }
}

/// Prints what happens while it happens, then the trace and the report.
async fn run(
    timbal: &Timbal,
    dir: PathBuf,
    out: &mut impl Write,
) -> Result<(), Box<dyn std::error::Error>> {
    let mut failed = 0;
    let mut events = index(dir).events();
    while let Some(event) = events.next().await {
        match event {
            Event::Start(start) if start.path == "index" => {
                writeln!(out, "{} started", start.path)?
            }
            Event::Chunk(chunk) => writeln!(out, "  {}", chunk.chunk.get::<String>()?)?,
            Event::Output(done) if done.path == "index.count" => {
                let Some(error) = done.error else { continue };
                failed += 1;
                if failed <= LINES {
                    writeln!(out, "  {}", in_one_line(&error))?;
                }
            }
            _ => {}
        }
    }
    let done = events.collect().await;
    if let Some(error) = &done.error {
        return Err(in_one_line(error).into());
    }

    writeln!(out, "index ended in {:.1?}\n", done.elapsed())?;
    let trace = timbal.trace(done.run_id).await?.ok_or("there is no trace")?;
    print_trace(&trace, out)?;
    print_report(&done.output.get()?, out)?;
    writeln!(out, "\nrun {} (index --show, --history, --stats)", done.run_id)?;
    Ok(())
}

/// Prints the first calls and the first that failed, and why the very first did.
fn print_trace(trace: &Trace, out: &mut impl Write) -> io::Result<()> {
    let mut failed = 0;
    let shown = trace.spans.iter().enumerate().filter(|(place, span)| {
        failed += usize::from(span.error.is_some());
        *place < LINES || span.error.is_some() && failed <= LINES
    });
    let shown: Vec<_> = shown.map(|(_, span)| span.clone()).collect();
    let left_out = trace.spans.len() - shown.len();
    if let Some(shown) = Trace::new(shown) {
        writeln!(out, "{shown:#}")?;
    }
    if left_out > 0 {
        writeln!(out, "and {left_out} calls more")?;
    }
    if let Some(error) = trace.spans.iter().find_map(|span| span.error.as_ref()) {
        writeln!(out, "\nThe first that failed:\n{}", error.traceback())?;
    }
    writeln!(out)
}

fn print_report(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let Report { files, failed, bytes, words, .. } = report;
    writeln!(out, "files: {files}, unreadable: {failed}, words: {words}, bytes: {bytes}")?;
    for (word, times) in &report.frequent {
        writeln!(out, "{times:>8} {word}")?;
    }
    Ok(())
}

/// An error and what caused it, in one line.
fn in_one_line(error: &CallError) -> String {
    let causes = error.causes().iter().map(|cause| cause.message.as_str());
    std::iter::once(error.message()).chain(causes).collect::<Vec<_>>().join(": ")
}

/// Whether nobody reads what is printed, as in `index | head`: no reason to complain.
fn is_closed_pipe(error: &(dyn std::error::Error + 'static)) -> bool {
    let error = error.downcast_ref::<io::Error>();
    error.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
