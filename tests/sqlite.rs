//! SQLite files: what they are, what is refused, and who may use them at once.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use futures::executor::block_on;
use timbal::{
    Batch, Filter, OpenError, Prune, RunId, SqliteStore, StatsQuery, StatusCode, Store, Timbal,
    runnable,
};
use timbal_tests::{Child, directory, run_id, span};

fn new_file(name: &str) -> PathBuf {
    directory(&format!("sqlite/{name}")).join("traces.db")
}

#[runnable]
async fn greet(name: &str) -> String {
    format!("Hello, {name}!")
}

/// Records a call in a file, as a program does from its start to its end.
fn record(file: &Path, name: &str) -> RunId {
    let timbal = Timbal::builder().store(SqliteStore::open(file).unwrap()).build();
    let (_, trace) = block_on(greet(name).recorded_by(&timbal).traced());
    block_on(timbal.flush()).unwrap();
    trace.run_id
}

#[test]
fn runs_are_there_when_the_file_is_opened_again() {
    let file = new_file("again");
    let (first, second) = (record(&file, "Alice"), record(&file, "Bob"));
    let store = SqliteStore::open(&file).unwrap();
    let kept = store.trace(first).unwrap().unwrap();
    assert_eq!(kept.to_string(), r#"greet {"name":"Alice"} -> "Hello, Alice!""#);
    let page = store.runs(&Filter::new()).unwrap();
    assert_eq!(page.runs.iter().map(|run| run.run_id).collect::<Vec<_>>(), [second, first]);
}

#[cfg(unix)]
#[test]
fn files_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;

    let file = new_file("mode");
    let store = SqliteStore::open(&file).unwrap();
    let mut open = span(1, 1, 10);
    open.status = StatusCode::Running.into();
    store.put(&Batch::from_iter([open])).unwrap();
    let files = fs::read_dir(file.parent().unwrap()).unwrap().map(Result::unwrap);
    let modes = files.map(|file| (file.file_name(), file.metadata().unwrap().permissions().mode()));
    let modes: Vec<_> = modes.map(|(name, mode)| (name, mode & 0o777)).collect();
    assert_eq!(modes.len(), 4, "the file, its log, the log's index, the writer's lock: {modes:?}");
    assert!(modes.iter().all(|(_, mode)| *mode == 0o600), "{modes:?}");
    drop(store);
    assert_eq!(fs::read_dir(file.parent().unwrap()).unwrap().count(), 1, "they go with the store");
}

#[test]
fn a_file_that_is_no_database_is_refused() {
    let file = new_file("text");
    let text = "This is a text, and far longer than the header of a database. ".repeat(100);
    fs::write(&file, &text).unwrap();
    let error = SqliteStore::open(&file).unwrap_err();
    assert!(matches!(&error, OpenError::NotADatabase { path, .. } if *path == file));
    assert!(error.to_string().ends_with("traces.db` is not a SQLite database"), "{error}");
    assert_eq!(fs::read_to_string(&file).unwrap(), text);
    assert_eq!(fs::read_dir(file.parent().unwrap()).unwrap().count(), 1);
}

#[test]
fn an_empty_file_has_no_traces() {
    let file = new_file("empty");
    fs::write(&file, "").unwrap();
    let run = record(&file, "Alice");
    assert!(SqliteStore::open(&file).unwrap().trace(run).unwrap().is_some());
}

#[test]
fn the_database_of_another_application_is_refused() {
    let file = new_file("foreign");
    let other = rusqlite::Connection::open(&file).unwrap();
    other.execute_batch("CREATE TABLE mine (id INTEGER); INSERT INTO mine VALUES (7)").unwrap();
    drop(other);
    let before = fs::read(&file).unwrap();
    let error = SqliteStore::open(&file).unwrap_err();
    assert!(matches!(error, OpenError::Foreign { .. }), "{error}");
    assert_eq!(fs::read(&file).unwrap(), before);
}

#[test]
fn a_file_of_a_later_version_is_refused() {
    let file = new_file("later");
    record(&file, "Alice");
    rusqlite::Connection::open(&file).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let before = fs::read(&file).unwrap();
    let error = SqliteStore::open(&file).unwrap_err();
    assert!(matches!(error, OpenError::NewerSchema { found: 99, known: 2, .. }), "{error}");
    assert!(error.to_string().contains("has schema version 99, and this version"), "{error}");
    assert_eq!(fs::read(&file).unwrap(), before);
}

#[test]
fn a_file_of_an_earlier_version_becomes_one_of_this() {
    // Some files of version 1 did not have this column, and some did.
    for change in ["ALTER TABLE spans DROP COLUMN allocated_bytes", ""] {
        let file = new_file("earlier");
        let first = record(&file, "Alice");
        let earlier = rusqlite::Connection::open(&file).unwrap();
        earlier.execute_batch(&format!("{change}; PRAGMA user_version = 1")).unwrap();
        drop(earlier);
        let second = record(&file, "Bob");
        let store = SqliteStore::open(&file).unwrap();
        for run in [first, second] {
            assert!(store.trace(run).unwrap().is_some(), "{change}");
        }
    }
}

#[test]
fn a_place_without_a_file_is_named() {
    let directory = directory("sqlite/nowhere");
    for place in [directory.join("no/such/traces.db"), directory.clone()] {
        let error = SqliteStore::open(&place).unwrap_err();
        assert!(matches!(error, OpenError::Failed { .. }), "{error:?}");
        assert_eq!(error.path(), place);
        assert!(error.to_string().contains(&*place.to_string_lossy()), "{error}");
    }
    assert_eq!(fs::read_dir(directory).unwrap().count(), 0);
}

#[test]
fn a_name_is_a_file_whatever_it_is() {
    for name in [":memory:", "file:traces.db?mode=memory", "é 🦀.db", "a%20b#c"] {
        let file = directory("sqlite/named").join(name);
        let run = record(&file, "Alice");
        assert!(file.is_file(), "{name}");
        assert!(SqliteStore::open(&file).unwrap().trace(run).unwrap().is_some(), "{name}");
    }
}

#[test]
fn others_read_while_one_writes() {
    let file = new_file("others");
    let (first, second) = (SqliteStore::open(&file).unwrap(), SqliteStore::open(&file).unwrap());
    let other = rusqlite::Connection::open(&file).unwrap();
    for run in 1..=50 {
        let writer = if run % 2 == 0 { &first } else { &second };
        writer.put(&Batch::from_iter([span(run, 2, 100), span(run, 1, 100)])).unwrap();
        for reader in [&first, &second] {
            assert_eq!(reader.trace(run_id(run)).unwrap().unwrap().spans.len(), 2);
        }
        let count = other.query_one("SELECT count(*) FROM spans", [], |row| row.get::<_, i64>(0));
        assert_eq!(count.unwrap() as u64, 2 * run);
    }
}

#[test]
fn a_file_shrinks_when_runs_go() {
    let file = new_file("shrinks");
    let store = SqliteStore::open(&file).unwrap();
    let other = SqliteStore::open(&file).unwrap();
    for run in 1..=40 {
        store.put(&Batch::from_iter([span(run, 1, 200_000)])).unwrap();
    }
    assert_eq!(other.prune(&Prune::new().max_bytes(2_000_000)).unwrap().runs, 31);
    assert!(fs::metadata(&file).unwrap().len() <= 2_000_000);
    // What the first knew of the file's words may be gone: it looks again.
    assert_eq!(other.prune(&Prune::new().max_bytes(0)).unwrap().runs, 9);
    assert_eq!(store.paths().unwrap(), [""; 0]);
    store.put(&Batch::from_iter([span(50, 1, 10)])).unwrap();
    assert_eq!(store.trace(run_id(50)).unwrap().unwrap().spans[0].path, "work");
}

#[test]
fn a_call_is_interrupted_when_its_writer_is_gone() {
    let file = new_file("interrupted");
    let store = SqliteStore::open(&file).unwrap();
    let mut child = Child::start(Command::new(env!("CARGO_BIN_EXE_child")).arg("open").arg(&file));
    assert_eq!(child.line().unwrap(), "put");
    let words = || {
        let trace = store.trace(run_id(1)).unwrap().unwrap();
        let run = store.runs(&Filter::new()).unwrap().runs.remove(0);
        (trace.spans.iter().map(|span| span.status.code).collect::<Vec<_>>(), run.status.code)
    };
    let found = |status| store.runs(&Filter::new().status(status)).unwrap().runs.len();
    let (open, gone) = (StatusCode::Running, StatusCode::Interrupted);

    assert_eq!(words(), (vec![open, open, StatusCode::Success], open));
    assert_eq!((found(open), found(gone)), (1, 0));
    child.kill();
    assert_eq!(words(), (vec![gone, gone, StatusCode::Success], gone));
    assert_eq!((found(open), found(gone)), (0, 1));
    let stats = store.stats(&StatsQuery::new().path("work.part")).unwrap();
    assert_eq!((stats.paths[0].count, stats.paths[0].unfinished), (1, 1));

    // The next that writes running calls removes what was left; the calls stay interrupted.
    let mut span = span(2, 1, 10);
    span.status = open.into();
    store.put(&Batch::from_iter([span])).unwrap();
    assert_eq!(words().1, open, "that is the newest run");
    let names = fs::read_dir(file.parent().unwrap()).unwrap().map(|file| file.unwrap().file_name());
    let locks = names.filter(|name| name.to_string_lossy().contains("-writer-")).count();
    assert_eq!((locks, found(gone)), (1, 1));
}
