//! Whatever is killed, and whenever: what was acknowledged is on the server.

use std::process::Command;

use timbal::{PostgresStore, RunId, Store};
use timbal_tests::Child;
use timbal_tests::private_server::PrivateServer;
use timbal_tests::scratch::Scratch;

const TRIALS: usize = 20;

/// A server takes seconds to start again: `TIMBAL_TEST_KILLS` says how often to kill it, if not this.
const SERVER_TRIALS: usize = 3;

/// Starts a process that records runs, and says each that is acknowledged.
fn start(url: &str) -> Child {
    Child::start(Command::new(env!("CARGO_BIN_EXE_child")).args(["commit", url]))
}

/// What becomes of a number of runs at random: from 1 to 40.
fn random() -> usize {
    rand::random_range(1..=40)
}

fn read(child: &mut Child, runs: usize) -> Vec<RunId> {
    let lines = (0..runs).map(|_| child.line().expect("it goes on for ever"));
    lines.map(|line| line.parse().expect("a run")).collect()
}

/// Panics if one is missing, or not whole.
fn check(url: &str, acknowledged: &[RunId]) {
    let store = PostgresStore::connect(url).unwrap();
    for run in acknowledged {
        let trace = store.trace(*run).unwrap();
        let spans = trace.map_or(0, |trace| trace.spans.len());
        assert_eq!(spans, 4, "{run} was acknowledged");
    }
}

#[test]
fn what_a_process_acknowledged_before_it_was_killed_is_there() {
    let Some(scratch) = Scratch::new() else { return };
    let mut acknowledged = Vec::new();
    for _ in 0..TRIALS {
        let mut child = start(&scratch.url());
        acknowledged.extend(read(&mut child, random()));
        // The last line may be torn, and then it says nothing.
        acknowledged.extend(child.kill().iter().filter_map(|line| line.parse::<RunId>().ok()));
    }
    assert!(acknowledged.len() >= TRIALS);
    check(&scratch.url(), &acknowledged);
}

#[test]
fn what_was_acknowledged_before_the_server_was_killed_is_there() {
    let Some(server) = PrivateServer::start("killed") else { return };
    let asked = std::env::var("TIMBAL_TEST_KILLS").ok();
    let trials = asked.map_or(SERVER_TRIALS, |asked| asked.parse().expect("a number"));
    let mut child = start(&server.url());
    let mut acknowledged = Vec::new();
    for _ in 0..trials {
        acknowledged.extend(read(&mut child, random()));
        server.kill();
        server.start_again();
    }
    acknowledged.extend(read(&mut child, 1));
    acknowledged.extend(child.kill().iter().filter_map(|line| line.parse::<RunId>().ok()));
    assert!(acknowledged.len() > trials);
    check(&server.url(), &acknowledged);
}
