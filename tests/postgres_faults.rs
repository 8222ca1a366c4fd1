//! What a PostgreSQL server may do to those who write to it.

use std::process::Command;
use std::time::Duration;

use futures::executor::block_on;
use timbal::{
    Batch, ConnectError, Durability, Filter, PostgresOptions, PostgresStore, StatusCode, Store,
    Timbal, runnable,
};
use timbal_tests::private_server::PrivateServer;
use timbal_tests::scratch::{Open, Scratch, query, with_parameter};
use timbal_tests::{Child, directory, run_id, span};

#[runnable]
async fn work(number: u64) -> u64 {
    number
}

fn record(timbal: &Timbal, numbers: std::ops::Range<u64>) {
    for number in numbers {
        block_on(work(number).recorded_by(timbal));
    }
}

/// Waits until a statement waits for a lock.
fn until_one_waits(url: &str) {
    let waiting = "SELECT count(*) FROM pg_stat_activity
        WHERE application_name = 'timbal' AND wait_event_type = 'Lock'";
    while query(url, waiting) == ["0"] {
        std::thread::yield_now();
    }
}

#[test]
fn a_server_that_stops_in_a_run_and_in_a_batch_loses_nothing() {
    let Some(server) = PrivateServer::start("stops") else { return };
    let store = PostgresStore::connect(&server.url()).unwrap();
    let timbal = Timbal::builder().store(store).build();
    record(&timbal, 0..100);
    block_on(timbal.flush()).unwrap();
    let whole = timbal::call!("whole", async {
        work(1).await;
        server.stop();
        work(2).await; // it waits in the queue
        server.start_again();
        work(3).await;
        timbal::current().unwrap().run_id()
    });
    let whole = block_on(whole.recorded_by(&timbal));
    block_on(timbal.flush()).unwrap();
    assert_eq!(block_on(timbal.trace(whole)).unwrap().unwrap().spans.len(), 4);

    let lock = Open::new(&server.url(), "LOCK TABLE timbal_spans IN EXCLUSIVE MODE");
    record(&timbal, 100..200);
    until_one_waits(&server.url()); // in the middle of a batch
    server.stop();
    drop(lock);
    server.start_again();

    block_on(timbal.flush()).unwrap();
    assert_eq!(block_on(timbal.runs(&Filter::new().limit(1_000))).unwrap().runs.len(), 201);
    let health = timbal.health();
    assert_eq!((health.written, health.lost), (204, 0));
    assert!(health.last_error.is_some());
}

#[test]
fn a_password_that_is_wrong_is_an_error() {
    let Some(server) = PrivateServer::start("password") else { return };
    for url in [server.url().replace(":secret", ":wrong"), server.url().replace(":secret", "")] {
        let error = PostgresStore::connect(&url).unwrap_err();
        assert!(matches!(error, ConnectError::Login { .. }), "{error:?}");
        let text = error.to_string();
        assert!(text.starts_with("the server does not let the user in: "), "{text}");
        assert!(!text.contains("wrong"), "{text}");
    }
    assert!(PostgresStore::connect(&server.url()).is_ok());
}

#[test]
fn connections_that_are_terminated_are_opened_again() {
    let Some(scratch) = Scratch::new() else { return };
    let name = format!("{}_writer", scratch.schema());
    let url = with_parameter(&scratch.url(), &format!("application_name={name}"));
    let store = PostgresStore::connect(&url).unwrap();
    let reader = PostgresStore::connect(&scratch.url()).unwrap();
    let mut open = span(1, 1, 10);
    open.status = StatusCode::Running.into();
    store.put(&Batch::from_iter([open])).unwrap();
    assert_eq!(store.trace(run_id(1)).unwrap().unwrap().spans.len(), 1);
    let backends = "FROM pg_stat_activity WHERE application_name";
    let first = scratch.query(&format!("SELECT pid {backends} = '{name}'"));
    assert_eq!(first.len(), 2, "one writes, one reads");
    scratch.query(&format!("SELECT pg_terminate_backend(pid) {backends} = '{name}'"));
    let has_new = || {
        let now = scratch.query(&format!("SELECT pid {backends} = '{name}'"));
        now.iter().any(|pid| !first.contains(pid))
    };
    while !has_new() {
        std::thread::yield_now();
    }

    // Nothing was put since: the lock that says that the writer lives came back by itself.
    let status = || reader.trace(run_id(1)).unwrap().unwrap().spans[0].status.code;
    while status() == StatusCode::Interrupted {
        std::thread::yield_now();
    }
    store.put(&Batch::from_iter([span(2, 1, 10)])).unwrap();
    assert_eq!(store.trace(run_id(2)).unwrap().unwrap().spans, [span(2, 1, 10)]);
    assert_eq!(status(), StatusCode::Running);
}

#[test]
fn a_statement_that_takes_too_long_has_failed() {
    let Some(scratch) = Scratch::new() else { return };
    let options = PostgresOptions::new().statement_timeout(Duration::from_millis(100));
    let store = options.connect(&scratch.url()).unwrap();
    let lock = Open::new(&scratch.url(), "LOCK TABLE timbal_spans IN EXCLUSIVE MODE");
    let batch = Batch::from_iter([span(1, 1, 10)]);
    let error = store.put(&batch).unwrap_err().to_string();
    assert!(error.contains("timeout"), "{error}");
    drop(lock);
    store.put(&batch).unwrap();
    assert_eq!(store.trace(run_id(1)).unwrap().unwrap().spans, [span(1, 1, 10)]);
}

#[test]
fn a_spool_keeps_what_the_server_does_not_take_across_a_restart() {
    let Some(server) = PrivateServer::start("spool") else { return };
    let file = directory("postgres_spool").join("spool.db");
    server.stop();
    let mut child = Command::new(env!("CARGO_BIN_EXE_child"));
    let child = child.arg("spool").arg(server.url()).arg(&file).arg("50");
    let mut child = Child::start(child);
    assert_eq!(child.line().unwrap(), "51");
    let busy = PostgresOptions::new().spool(&file).connect(&server.url()).unwrap_err();
    assert!(matches!(busy, ConnectError::Spool { .. }), "{busy:?}");
    child.kill();

    let store = PostgresOptions::new().spool(&file).connect(&server.url()).unwrap();
    assert_eq!(store.spooled(), 51);
    assert!(store.trace(run_id(1)).is_err(), "nobody answers");
    store.put(&Batch::from_iter([span(51, 1, 10)])).unwrap(); // behind the others
    assert_eq!(store.spooled(), 52);
    server.start_again();
    while store.spooled() > 0 {
        std::thread::yield_now();
    }
    let in_order = "SELECT ('x' || right(run_id::text, 4))::bit(16)::int - 1 FROM timbal_spans
        ORDER BY xmin::text::bigint";
    let numbers: Vec<String> = (1..=51).map(|run| run.to_string()).collect();
    assert_eq!(query(&server.url(), in_order), numbers);
    assert_eq!(store.trace(run_id(1)).unwrap().unwrap().spans[0].status.code, StatusCode::Success);
    assert_eq!(store.trace(run_id(51)).unwrap().unwrap().spans, [span(51, 1, 10)]);
}

#[test]
fn a_recorder_with_a_spool_acknowledges_while_the_server_is_away() {
    let Some(server) = PrivateServer::start("away") else { return };
    let file = directory("postgres_away").join("spool.db");
    let store = PostgresOptions::new().spool(&file).connect(&server.url()).unwrap();
    let durability = Durability::Committed { within: Duration::from_secs(60) };
    let timbal = Timbal::builder().store(store.clone()).durability(durability).build();
    record(&timbal, 0..5);
    assert_eq!(store.spooled(), 0);
    server.stop();
    record(&timbal, 5..10);
    assert_eq!((store.spooled(), timbal.health().uncommitted), (5, 0));
    server.start_again();
    // Who reads sees what was spooled.
    assert_eq!(block_on(timbal.runs(&Filter::new())).unwrap().runs.len(), 10);
    assert_eq!(store.spooled(), 0);
}

#[test]
fn a_file_that_is_something_else_is_no_spool() {
    let Some(scratch) = Scratch::new() else { return };
    let file = directory("postgres_no_spool").join("traces.db");
    drop(timbal::SqliteStore::open(&file).unwrap());
    let error = PostgresOptions::new().spool(&file).connect(&scratch.url()).unwrap_err();
    let expected = "the spool file cannot be used: the file is not a spool of this version";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn a_connection_that_hangs_is_given_up_for_another() {
    let Some(server) = PrivateServer::start("hangs") else { return };
    let options = PostgresOptions::new().statement_timeout(Duration::from_millis(100));
    let store = options.connect(&server.url()).unwrap();
    let writer = "SELECT pid FROM pg_stat_activity WHERE application_name = 'timbal'";
    let [writer] = &query(&server.url(), writer)[..] else { panic!("one connection writes") };
    let signal = |name: &str| {
        assert!(Command::new("kill").args([name, writer]).status().unwrap().success());
    };
    signal("-STOP");
    let batch = Batch::from_iter([span(1, 1, 10)]);
    let error = store.put(&batch).unwrap_err().to_string();
    assert_eq!(error, "the store failed: no answer within 1.1s");
    store.put(&batch).unwrap();
    signal("-CONT");
    assert_eq!(store.trace(run_id(1)).unwrap().unwrap().spans, [span(1, 1, 10)]);
}
