//! Reads many files at a time, tries again what fails, and gives up on what takes too long:
//! `cargo run --example pipeline -- [FILE]...`

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use futures::{StreamExt, stream};
use serde::Serialize;
use timbal::{Elapsed, StatusCode, Trace, runnable};
use tokio::fs::File;
use tokio::io::AsyncReadExt;
use tokio::time::sleep;

/// How many files are read at a time, how often each is tried, and how long it may take.
const AT_A_TIME: usize = 4;
const TRIES: u32 = 3;
const LIMIT: Duration = Duration::from_millis(500);

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("cannot read `{}`", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("`{}` has no end in sight", path.display())]
    Endless { path: PathBuf, source: Elapsed },
}

/// How often each byte is there.
type Bytes = BTreeMap<u8, u64>;

/// What is known of all files.
#[derive(Debug, Default, Serialize)]
struct Report {
    files: usize,
    failed: usize,
    bytes: u64,
    most_frequent: Option<char>,
}

/// Fans out over the files, and in to one report. A file that fails does not fail the others.
#[runnable]
async fn pipeline(files: Vec<PathBuf>) -> Report {
    let mut report = Report::default();
    let mut all = Bytes::new();
    let mut counts = stream::iter(files).map(count).buffer_unordered(AT_A_TIME);
    while let Some(counted) = counts.next().await {
        report.files += 1;
        match counted {
            Ok(bytes) => bytes.iter().for_each(|(byte, n)| *all.entry(*byte).or_default() += n),
            Err(_) => report.failed += 1, // the trace says why
        }
    }
    report.bytes = all.values().sum();
    let letters = all.into_iter().filter(|(byte, _)| byte.is_ascii_alphabetic());
    report.most_frequent = letters.max_by_key(|(_, n)| *n).map(|(byte, _)| char::from(byte));
    report
}

/// Counts one file, and tries again if it cannot be read: it may be there the next time.
#[runnable(skip_output)]
async fn count(path: PathBuf) -> Result<Bytes, Error> {
    let mut tries = 1;
    loop {
        let read = read(&path).metadata("try", tries).timeout(LIMIT).await;
        let read = read.map_err(|source| Error::Endless { path: path.clone(), source })?;
        match read {
            Ok(bytes) => return Ok(bytes),
            Err(error) if tries == TRIES => return Err(error),
            Err(_) => sleep(Duration::from_millis(10) * tries).await,
        }
        tries += 1;
    }
}

/// Reads one file to its end.
#[runnable(skip_output)]
async fn read(path: &PathBuf) -> Result<Bytes, Error> {
    let failed = |source| Error::Read { path: path.clone(), source };
    let mut file = File::open(path).await.map_err(failed)?;
    let (mut bytes, mut buffer) = (Bytes::new(), vec![0; 64 * 1024]);
    loop {
        let read = file.read(&mut buffer).await.map_err(failed)?;
        if read == 0 {
            return Ok(bytes);
        }
        timbal::usage("bytes", read as u64);
        buffer[..read].iter().for_each(|byte| *bytes.entry(*byte).or_default() += 1);
    }
}

/// What is here, what is not, and where there is such a thing, a file without an end.
fn default_files() -> Vec<PathBuf> {
    let here = env!("CARGO_MANIFEST_DIR");
    let found = std::fs::read_dir(here).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut files: Vec<_> = found.filter(|path| path.is_file()).collect();
    files.sort();
    files.push("no-such-file.txt".into());
    files.extend(Some("/dev/zero".into()).filter(|_| cfg!(unix)));
    files
}

#[tokio::main]
async fn main() {
    let files: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let files = if files.is_empty() { default_files() } else { files };
    let (report, trace) = pipeline(files).traced().await;
    println!("{trace:#}\n");
    print_failures(&trace);
    let Report { files, failed, bytes, most_frequent } = report;
    println!("files: {files}, failed: {failed}, bytes: {bytes}, most frequent: {most_frequent:?}");
}

/// Why files failed: of each the call that knows the most.
fn print_failures(trace: &Trace) {
    for span in trace.spans.iter().filter(|span| span.path == "pipeline.count") {
        if let Some(error) = &span.error {
            println!("{}\n", error.traceback());
        }
        let timeouts = trace.children(span.call_id);
        for read in timeouts.filter(|read| read.status.code == StatusCode::Timeout) {
            println!("It had read {} bytes in {:.1?}.\n", read.usage["bytes"], read.elapsed());
        }
    }
}
