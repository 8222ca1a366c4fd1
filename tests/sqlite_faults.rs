//! Faults: what is kept when processes are killed, disks are full and locks are held.
#![cfg(unix)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use futures::executor::block_on;
use timbal::{Batch, Filter, OpenError, SqliteOptions, SqliteStore, Store, Timbal, runnable};
use timbal_tests::{Child, directory, run_id, span};

fn new_file(name: &str) -> PathBuf {
    directory(&format!("faults/{name}")).join("traces.db")
}

fn child(command: &str, file: &Path) -> Command {
    let mut child = Command::new(env!("CARGO_BIN_EXE_child"));
    child.arg(command).arg(file);
    child
}

/// The runs of these lines that were kept.
fn kept(lines: impl IntoIterator<Item = String>) -> Vec<u64> {
    let kept = |line: String| line.strip_prefix("kept ")?.parse().ok();
    lines.into_iter().filter_map(kept).collect()
}

/// Opens a file again, and looks whether it is sound and has these runs whole.
fn assert_whole(file: &Path, runs: &[u64]) {
    let store = SqliteStore::open(file).unwrap();
    for run in runs {
        let trace = store.trace(run_id(*run)).unwrap();
        assert_eq!(trace.expect("it was acknowledged").spans.len(), 3, "run {run}");
    }
    assert_sound(file);
}

fn assert_sound(file: &Path) {
    let check = rusqlite::Connection::open(file).unwrap();
    let said = check.query_one("PRAGMA integrity_check", [], |row| row.get::<_, String>(0));
    assert_eq!(said.unwrap(), "ok");
    let halves = "SELECT count(*) FROM spans WHERE id NOT IN (SELECT id FROM payloads)
        OR run_id NOT IN (SELECT run_id FROM runs)";
    assert_eq!(check.query_one(halves, [], |row| row.get::<_, i64>(0)).unwrap(), 0);
}

#[test]
fn what_was_acknowledged_survives_a_kill() {
    // Small batches, and such as take the writer a while.
    for (trial, bytes) in [(3, 10), (40, 500), (7, 300_000), (150, 10), (1, 2_000)] {
        let file = new_file(&format!("kill-{trial}"));
        let mut writer =
            Child::start(child("put", &file).args(["0", "1000000", &bytes.to_string()]));
        let read: Vec<String> = (0..trial).map_while(|_| writer.line()).collect();
        let acknowledged = kept(read.into_iter().chain(writer.kill()));
        assert!(acknowledged.len() >= trial);
        assert_whole(&file, &acknowledged);
    }
}

#[test]
fn each_acknowledgement_comes_after_a_sync() {
    let file = new_file("sync");
    let calls = file.with_file_name("calls");
    let mut strace = Command::new("strace");
    strace.args(["-f", "-e", "trace=fsync,fdatasync,write", "-o"]).arg(&calls);
    strace.arg(env!("CARGO_BIN_EXE_child")).arg("put").arg(&file).args(["0", "20", "100"]);
    if !strace.output().is_ok_and(|output| output.status.success()) {
        return eprintln!("skipped: there is no `strace` that works");
    }
    let calls = std::fs::read_to_string(calls).unwrap();
    let (mut acknowledged, mut synced) = (0, false);
    for call in calls.lines() {
        if call.contains("\"kept ") {
            assert!(std::mem::take(&mut synced), "no sync before {call}");
            acknowledged += 1;
        }
        synced |= call.contains("sync(") && call.ends_with("= 0");
    }
    assert_eq!(acknowledged, 20, "{calls}");
}

#[test]
fn a_recorded_call_is_interrupted_when_its_process_is_killed() {
    let file = new_file("open");
    let mut recorder = Child::start(&mut child("run", &file));
    let run = recorder.line().unwrap().parse().unwrap();
    let store = SqliteStore::open(&file).unwrap();
    let trace = || store.trace(run).unwrap().unwrap().to_string();
    assert_eq!(trace(), "outer {} -- running\n  inner {} -- running");
    recorder.kill();
    assert_eq!(trace(), "outer {} -- interrupted\n  inner {} -- interrupted");
    assert_sound(&file);
}

#[test]
fn others_read_while_a_process_writes() {
    let file = new_file("read");
    let store = SqliteStore::open(&file).unwrap();
    let mut writer = Child::start(child("put", &file).args(["0", "200", "100"]));
    for run in 0..200 {
        assert_eq!(writer.line().unwrap(), format!("kept {run}"));
        assert_eq!(store.trace(run_id(run)).unwrap().unwrap().spans.len(), 3);
    }
}

#[test]
fn four_processes_write_one_file() {
    let file = new_file("four");
    let writers = [0, 1_000, 2_000, 3_000].map(|first: u32| {
        Child::start(child("put", &file).args([&first.to_string(), "100", "1000"]))
    });
    let mut runs = Vec::new();
    for mut writer in writers {
        while let Some(line) = writer.line() {
            runs.extend(kept([line.clone()]).first().ok_or(line).map_err(|line| panic!("{line}")));
        }
    }
    assert_eq!(runs.len(), 400);
    assert_whole(&file, &runs);
}

/// Puts until the file may not grow any more, which the shell sees to, and looks what is there.
fn full(file: &Path, limit: &str) {
    let script = format!("{limit} exec \"$0\" \"$@\"");
    let mut command = Command::new("sh");
    command.args(["-c", &script]).arg(env!("CARGO_BIN_EXE_child"));
    let mut writer = Child::start(command.arg("put").arg(file).args(["0", "100", "50000"]));
    let lines: Vec<String> = std::iter::from_fn(|| writer.line()).collect();
    assert_eq!(lines.len(), 100, "it goes on: {lines:?}");
    let failed: Vec<_> = lines.iter().filter(|line| line.starts_with("failed")).collect();
    let runs = kept(lines.iter().cloned());
    assert!(!failed.is_empty() && runs.len() >= 3, "{lines:?}");
    let reasons = ["disk I/O error", "database or disk is full"];
    assert!(failed.iter().all(|line| reasons.iter().any(|said| line.contains(said))), "{failed:?}");
    assert_whole(file, &runs);
}

#[test]
fn a_file_that_may_not_grow_keeps_what_it_has() {
    let file = new_file("limit");
    full(&file, "trap '' XFSZ; ulimit -f 4000;");
    // Without the limit it goes on.
    let mut writer = Child::start(child("put", &file).args(["1000", "3", "50000"]));
    let lines = std::iter::from_fn(|| writer.line());
    assert_eq!(kept(lines), [1000, 1001, 1002]);
}

#[test]
fn a_full_disk_keeps_what_it_has() {
    let disk = directory("faults/disk");
    let _left_by_a_test_that_failed = Command::new("umount").arg(&disk).output();
    let mount = ["-t", "tmpfs", "-o", "size=3m", "tmpfs"];
    let mounted = Command::new("mount").args(mount).arg(&disk).output();
    if !mounted.is_ok_and(|mounted| mounted.status.success()) {
        return eprintln!("skipped: this process may not mount a disk");
    }
    let disk = Mounted(disk);
    full(&disk.0.join("traces.db"), "");
}

/// A disk that goes with this.
struct Mounted(PathBuf);

impl Drop for Mounted {
    fn drop(&mut self) {
        let _mounted = Command::new("umount").arg(&self.0).output();
    }
}

/// Makes a file or directory read-only while it does something: for root too, if it is root.
fn read_only<T>(place: &Path, act: impl FnOnce() -> T) -> T {
    let change = |program, what| Command::new(program).arg(what).arg(place).output();
    change("chmod", "a-w").unwrap();
    let _if_root = change("chattr", "+i");
    let done = act();
    let _if_root = change("chattr", "-i");
    change("chmod", "u+w").unwrap();
    done
}

/// Whether that holds here: root in a container has neither.
fn is_read_only(place: &Path) -> bool {
    let written = match place.is_dir() {
        true => std::fs::write(place.join("probe"), ""),
        false => std::fs::OpenOptions::new().append(true).open(place).map(drop),
    };
    written.is_err()
}

#[test]
fn a_read_only_file_is_refused() {
    let file = new_file("read-only-file");
    SqliteStore::open(&file).unwrap().put(&Batch::from_iter([span(1, 1, 10)])).unwrap();
    let before = std::fs::read(&file).unwrap();
    let (holds, opened) = read_only(&file, || (is_read_only(&file), SqliteStore::open(&file)));
    if !holds {
        return eprintln!("skipped: nothing is read-only for this process");
    }
    let error = opened.unwrap_err();
    assert!(matches!(error, OpenError::ReadOnly { .. }), "{error:?}");
    assert!(error.to_string().contains("cannot be written to"), "{error}");
    assert_eq!(std::fs::read(&file).unwrap(), before);
}

#[test]
fn a_read_only_directory_is_refused() {
    let (old, new) = (new_file("read-only-directory"), "new.db");
    SqliteStore::open(&old).unwrap().put(&Batch::from_iter([span(1, 1, 10)])).unwrap();
    let (before, place) = (std::fs::read(&old).unwrap(), old.parent().unwrap());
    let (holds, opened) = read_only(place, || {
        (is_read_only(place), [old.clone(), place.join(new)].map(SqliteStore::open))
    });
    if !holds {
        return eprintln!("skipped: nothing is read-only for this process");
    }
    for opened in opened {
        let error = opened.unwrap_err();
        assert!(matches!(error, OpenError::ReadOnly { .. }), "{error:?}");
    }
    assert_eq!(std::fs::read(&old).unwrap(), before);
    assert!(!place.join(new).exists());
}

#[runnable]
async fn echo(text: &str) -> String {
    text.to_owned()
}

#[test]
fn a_lock_of_another_process_is_waited_for() {
    let file = new_file("locked");
    let options = SqliteOptions::new().lock_timeout(Duration::from_millis(20));
    let store = options.open(&file).unwrap();
    let mut other = Child::start(&mut child("lock", &file));
    assert_eq!(other.line().unwrap(), "locked");

    let error = store.put(&Batch::from_iter([span(1, 1, 10)])).unwrap_err();
    assert_eq!(error.to_string(), "the store failed: database is locked");
    // Who only reads need not wait, nor who opens the file.
    let second = options.open(&file).unwrap();
    assert!(second.trace(run_id(1)).unwrap().is_none());
    // Calls go on, and are written when the lock is free: the recorder tries again until then.
    let timbal = Timbal::builder().store(store.clone()).build();
    let (text, trace) = block_on(echo("hello").recorded_by(&timbal).traced());
    assert_eq!(text, "hello");
    while timbal.health().last_error.is_none() {
        std::thread::yield_now();
    }
    assert!(store.trace(trace.run_id).unwrap().is_none());
    assert!(other.go_on().success());
    assert_eq!(block_on(timbal.trace(trace.run_id)).unwrap().unwrap().spans.len(), 1);
    assert_eq!(timbal.health().lost, 0);
}

#[test]
fn a_new_file_that_is_locked_is_refused() {
    let file = new_file("locked-new");
    let mut other = Child::start(&mut child("lock", &file));
    assert_eq!(other.line().unwrap(), "locked");
    let options = SqliteOptions::new().lock_timeout(Duration::from_millis(20));
    let error = options.open(&file).unwrap_err();
    assert!(matches!(error, OpenError::Locked { .. }), "{error:?}");
    assert!(error.to_string().ends_with("traces.db` is locked by another process"), "{error}");
    assert!(other.go_on().success());
    assert!(options.open(&file).is_ok());
}

#[test]
fn payloads_of_a_hundred_megabytes_are_kept() {
    let file = new_file("large");
    let store = SqliteStore::open(&file).unwrap();
    let mut large = span(1, 1, 0);
    let text = format!("\"{}\"", "\u{1f980}\\u0000".repeat(10_000_000));
    large.output = serde_json::from_str(&text).unwrap();
    store.put(&Batch::from_iter([large])).unwrap();
    drop(store);
    let store = SqliteStore::open(&file).unwrap();
    let trace = store.trace(run_id(1)).unwrap().unwrap();
    assert!(trace.spans[0].output.as_json() == text);
    assert_eq!(store.runs(&Filter::new().text("\u{1f980}\0\u{1f980}")).unwrap().runs.len(), 1);
    drop(store);
    std::fs::remove_file(file).unwrap();
}

/// A tenth of them where nothing is optimised: there it would take minutes.
const SPANS: u64 = if cfg!(debug_assertions) { 100_000 } else { 1_000_000 };

#[test]
fn a_run_may_have_a_million_spans() {
    let file = new_file("million");
    let store = SqliteStore::open(&file).unwrap();
    for first in (1..=SPANS).step_by(20_000) {
        let calls = (first..first + 20_000).map(|call| span(1, SPANS + 1 - call, 1));
        store.put(&calls.collect()).unwrap();
    }
    let page = store.runs(&Filter::new()).unwrap();
    assert_eq!((page.runs[0].spans, page.runs[0].path.as_str()), (SPANS, "work"));
    let trace = store.trace(run_id(1)).unwrap().unwrap();
    assert_eq!(trace.spans.len() as u64, SPANS);
    assert_eq!(trace.root().unwrap().path, "work");
    drop(store);
    std::fs::remove_file(file).unwrap();
}
