//! What `index` says of earlier runs.

use std::error::Error;
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use timbal::{Filter, PathStats, RunId, RunSummary, SqliteStore, StatsQuery, Timbal};

/// The recorder that the environment asks for. If it names no store, that is a file of the user's,
/// or the memory where there can be none.
pub(crate) fn recorder() -> Result<Timbal, timbal::InitError> {
    let builder = timbal::builder_from_env()?;
    if std::env::var_os("TIMBAL_STORE").is_some_and(|store| !store.is_empty()) {
        return Ok(builder.build());
    }
    Ok(match own_store() {
        Ok(store) => builder.store(store).build(),
        Err(error) => {
            eprintln!("note: runs are not kept: {error}");
            builder.build()
        }
    })
}

/// `timbal/index.db` in the user's directory for what programs remember.
fn own_store() -> Result<SqliteStore, Box<dyn Error>> {
    let state = std::env::var_os("XDG_STATE_HOME").filter(|state| !state.is_empty());
    let home = || std::env::home_dir().map(|home| home.join(".local/state"));
    let state = state.map(PathBuf::from).or_else(home).ok_or("there is no home directory")?;
    let directory = state.join("timbal");
    fs::create_dir_all(&directory)
        .map_err(|error| format!("cannot make `{}`: {error}", directory.display()))?;
    Ok(SqliteStore::open(directory.join("index.db"))?)
}

/// Lists the last runs, a line each.
pub(crate) async fn print_runs(
    timbal: &Timbal,
    out: &mut impl Write,
) -> Result<(), Box<dyn Error>> {
    let page = timbal.runs(&Filter::new().limit(20)).await?;
    if page.runs.is_empty() {
        writeln!(out, "there are no runs yet")?;
    }
    for run in &page.runs {
        let RunSummary { run_id, path, status, spans, .. } = run;
        let (ago, took) = (ago(SystemTime::from(run.t0)), run.elapsed());
        let line = format!("{run_id}  {ago:>12}  {path}  {status}  {took:.1?}, {spans} calls");
        writeln!(out, "{line}{}", used(&run.usage))?;
    }
    if page.next.is_some() {
        writeln!(out, "and earlier ones")?;
    }
    Ok(())
}

/// Shows one run: all its calls, and where the first error came from.
pub(crate) async fn print_run(
    timbal: &Timbal,
    run_id: RunId,
    out: &mut impl Write,
) -> Result<(), Box<dyn Error>> {
    let trace = timbal.trace(run_id).await?.ok_or(format!("there is no run {run_id}"))?;
    writeln!(out, "{trace:#}")?;
    if let Some(error) = trace.spans.iter().find_map(|span| span.error.as_ref()) {
        writeln!(out, "\nThe first that failed:\n{}", error.traceback())?;
    }
    Ok(())
}

/// Shows how often each path was called, how long that took, and what it used.
pub(crate) async fn print_stats(
    timbal: &Timbal,
    out: &mut impl Write,
) -> Result<(), Box<dyn Error>> {
    let stats = timbal.stats(&StatsQuery::new()).await?;
    let width = stats.paths.iter().map(|stats| stats.path.len()).max().unwrap_or(0).max(4);
    let [calls, errors, p50, p95, p99] = ["calls", "errors", "p50", "p95", "p99"];
    writeln!(out, "{:width$} {calls:>8} {errors:>7} {p50:>9} {p95:>9} {p99:>9}", "path")?;
    for stats in &stats.paths {
        let PathStats { path, count, elapsed, .. } = stats;
        let errors = format!("{:.1}%", stats.error_rate() * 100.0);
        let times = [elapsed.p50(), elapsed.p95(), elapsed.p99()];
        let [p50, p95, p99] = times.map(|time| format!("{time:.1?}"));
        let line = format!("{path:width$} {count:>8} {errors:>7} {p50:>9} {p95:>9} {p99:>9}");
        writeln!(out, "{line}{}", used(&stats.usage))?;
    }
    Ok(())
}

/// `, 3 bytes, 1 words`.
fn used(usage: &std::collections::BTreeMap<String, u64>) -> String {
    usage.iter().map(|(key, amount)| format!(", {amount} {key}")).collect()
}

/// How long ago that was, in the largest unit that fits.
fn ago(time: SystemTime) -> String {
    let seconds = time.elapsed().unwrap_or(Duration::ZERO).as_secs();
    let units = [("days", 86_400), ("hours", 3_600), ("min", 60), ("s", 1)];
    let (unit, size) = units.into_iter().find(|(_, size)| seconds >= *size).unwrap_or(("s", 1));
    format!("{} {unit} ago", seconds / size)
}
