//! Functions that block their thread, on one that may be blocked.

use std::sync::mpsc;
use std::thread;

use expect_test::expect;
use timbal::{StatusCode, Timbal, runnable};
use timbal_tests::{Heard, poll_and_drop, read_all, show};

#[runnable]
fn double(n: u64) -> u64 {
    n * 2
}

#[runnable(blocking)]
fn slow(n: u64) -> Result<u64, String> {
    timbal::usage("numbers", n);
    timbal::try_emit("working");
    let doubled = double(n);
    if n == 0 { Err("zero".to_owned()) } else { Ok(doubled) }
}

#[runnable(blocking, skip_input)]
fn waits(started: mpsc::Sender<thread::ThreadId>, go: mpsc::Receiver<()>) {
    let _ = started.send(thread::current().id());
    let _ = go.recv();
}

#[runnable(blocking)]
fn panics() {
    panic!("here")
}

#[tokio::test]
async fn they_are_calls() {
    assert_eq!(slow(1).await, Ok(2));
    let call = timbal::call!("in", skip_output, async { (slow(1).await, slow(0).await) });
    expect![[r#"
        START  in
        START  in.slow
        CHUNK  in.slow "working"
        START  in.slow.double
        OUTPUT in.slow.double {"n":1} -> 2
        OUTPUT in.slow {"n":1} -> 2
        START  in.slow
        CHUNK  in.slow "working"
        START  in.slow.double
        OUTPUT in.slow.double {"n":0} -> 0
        OUTPUT in.slow {"n":0} !! String: zero
        OUTPUT in null -> null
    "#]]
    .assert_eq(&show(&read_all(call.events()).await));
    assert_eq!(slow(3).collect().await.usage["numbers"], 3);
}

#[tokio::test]
async fn they_run_on_other_threads() {
    let ((start, started), (go, wait)) = (mpsc::channel(), mpsc::channel());
    go.send(()).unwrap();
    waits(start, wait).await;
    assert_ne!(started.recv().unwrap(), thread::current().id());
}

#[tokio::test]
async fn their_panics_go_on() {
    assert_eq!(panics().collect().await.error.unwrap().message(), "here");
    assert!(tokio::spawn(panics()).await.unwrap_err().is_panic());
}

#[tokio::test]
async fn dropped_ones_are_cancelled_and_go_on() {
    let heard = Heard::default();
    let timbal = Timbal::builder().subscriber(heard.clone()).build();
    let ((start, started), (go, wait)) = (mpsc::channel(), mpsc::channel());
    poll_and_drop(1, waits(start, wait).recorded_by(&timbal));
    expect![[r#"
        START  waits
        OUTPUT waits null -- cancelled (dropped)
    "#]]
    .assert_eq(&heard.show());
    drop(started);
    drop(go);
}

#[test]
fn outside_of_tokio_they_fail() {
    let done = futures::executor::block_on(slow(1).collect());
    assert_eq!(done.status.code, StatusCode::Error);
}
