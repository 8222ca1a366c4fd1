//! Builds with `--cfg timbal_off`: the same program, and nothing is recorded. It runs in both.

use expect_test::expect;
use futures::executor::block_on;
use timbal::{Timbal, current, runnable};
use timbal_tests::{Heard, read_all, show};

const IS_OFF: bool = cfg!(timbal_off);

#[runnable]
async fn double(n: u64) -> u64 {
    timbal::usage("doubles", 1);
    n * 2
}

#[runnable]
async fn sum_of_doubles(a: u64, b: u64) -> u64 {
    let (a, b) = futures::join!(double(a), double(b));
    a + b
}

#[test]
fn a_recorder_hears_of_nothing() {
    let heard = Heard::default();
    let timbal = Timbal::builder().subscriber(heard.clone()).build();
    assert_eq!(block_on(sum_of_doubles(1, 2).recorded_by(&timbal)), 6);
    let inside = timbal::call!("root", async { current().is_none() });
    assert_eq!(block_on(inside.recorded_by(&timbal)), IS_OFF);
    block_on(timbal.flush()).unwrap();
    let expected = if IS_OFF { (0, true) } else { (4, false) };
    assert_eq!((timbal.health().written, heard.show().is_empty()), expected);
    assert_eq!(timbal.health().lost, 0);
}

#[test]
fn an_installed_one_neither() {
    let guard = timbal::init().unwrap();
    let name = "installed";
    let inside = block_on(timbal::call!(name, async { current().is_none() }));
    assert_eq!(inside, IS_OFF);
    assert!(timbal::current_recorder().is_some());
    drop(guard);
}

#[test]
fn a_reader_hears_of_everything() {
    let timbal = Timbal::builder().build();
    let events = block_on(read_all(sum_of_doubles(1, 2).recorded_by(&timbal).events()));
    expect![[r#"
        START  sum_of_doubles
        START  sum_of_doubles.double
        OUTPUT sum_of_doubles.double {"n":1} -> 2
        START  sum_of_doubles.double
        OUTPUT sum_of_doubles.double {"n":2} -> 4
        OUTPUT sum_of_doubles {"a":1,"b":2} -> 6
    "#]]
    .assert_eq(&show(&events));
    let (sum, trace) = block_on(sum_of_doubles(1, 2).traced());
    assert_eq!((sum, trace.root().unwrap().usage["doubles"]), (6, 2));
    assert_eq!(block_on(double(4).collect()).output, 8);
}
