//! Runs that are not recorded: they work as they would, and whoever reads them hears of them.

use std::sync::atomic::{AtomicU32, Ordering};

use expect_test::expect;
use futures::executor::block_on;
use futures::{Stream, StreamExt, stream};
use serde::{Serialize, Serializer};
use timbal::{Builder, Current, Definition, Ratio, RunId, Timbal, Traceparent, current, runnable};
use timbal_tests::{Heard, read_all, show};

/// Counts how often it is captured.
struct Counted(&'static AtomicU32);

impl Serialize for Counted {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.fetch_add(1, Ordering::Relaxed);
        serializer.serialize_unit()
    }
}

#[runnable]
async fn double(n: u64) -> u64 {
    timbal::usage("doubles", 1);
    timbal::emit(n).await;
    n * 2
}

#[runnable]
async fn sum_of_doubles(a: u64, b: u64) -> u64 {
    double(a).await + double(b).await
}

#[runnable]
async fn health() -> bool {
    double(0).await == 0
}

#[runnable]
async fn pass(counted: Counted) -> Counted {
    timbal::emit(&counted).await;
    counted
}

#[runnable]
fn passed(counted: &'static AtomicU32) -> impl Stream<Item = Counted> {
    stream::iter([Counted(counted), Counted(counted)])
}

fn hearing(builder: Builder) -> (Timbal, Heard) {
    let heard = Heard::default();
    (builder.subscriber(heard.clone()).build(), heard)
}

fn written(timbal: &Timbal) -> u64 {
    block_on(timbal.flush()).unwrap();
    timbal.health().written
}

#[test]
fn nothing_is_told_of_a_run_that_is_not_recorded() {
    let (timbal, heard) = hearing(Timbal::builder().record(false));
    assert_eq!(block_on(sum_of_doubles(1, 2).recorded_by(&timbal)), 6);
    assert_eq!((written(&timbal), heard.show().as_str(), timbal.health().lost), (0, "", 0));
}

#[test]
fn a_reader_reads_it() {
    let (timbal, heard) = hearing(Timbal::builder().record(false));
    let call = || sum_of_doubles(1, 2).recorded_by(&timbal);
    let events = block_on(read_all(call().events()));
    expect![[r#"
        START  sum_of_doubles
        START  sum_of_doubles.double
        CHUNK  sum_of_doubles.double 1
        OUTPUT sum_of_doubles.double {"n":1} -> 2
        START  sum_of_doubles.double
        CHUNK  sum_of_doubles.double 2
        OUTPUT sum_of_doubles.double {"n":2} -> 4
        OUTPUT sum_of_doubles {"a":1,"b":2} -> 6
    "#]]
    .assert_eq(&show(&events));
    let done = block_on(call().collect());
    assert_eq!((done.input.as_json(), done.usage["doubles"]), (r#"{"a":1,"b":2}"#, 2));
    assert_eq!(block_on(call().traced()).1.spans.len(), 3);
    assert_eq!((written(&timbal), heard.show().as_str()), (0, ""));
}

#[test]
fn it_works_from_inside_as_it_would() {
    let (timbal, _) = hearing(Timbal::builder().record(false));
    let call = timbal::call!("root", skip_output, async {
        let here: Current = current().unwrap();
        timbal::metadata("model", "small");
        let inner = timbal::call!("inner", async { current().unwrap().path() }).await;
        let recorder = timbal::current_recorder().is_some();
        (here.run_id(), inner, recorder, here.traceparent())
    });
    let (run, path, has_recorder, header) = block_on(call.recorded_by(&timbal).traced()).0;
    assert_eq!((path.as_str(), has_recorder, header.run_id()), ("root.inner", true, run));
    assert!(!header.is_sampled() && header.to_string().ends_with("-00"));
}

#[test]
fn what_nobody_sees_is_not_captured() {
    static CAPTURED: AtomicU32 = AtomicU32::new(0);
    let (timbal, _) = hearing(Timbal::builder().record(false));
    block_on(pass(Counted(&CAPTURED)).recorded_by(&timbal));
    block_on(passed(&CAPTURED).recorded_by(&timbal).count());
    assert_eq!(CAPTURED.load(Ordering::Relaxed), 0);
    block_on(pass(Counted(&CAPTURED)).recorded_by(&timbal).collect());
    assert_eq!(CAPTURED.load(Ordering::Relaxed), 2); // nobody reads the chunk
    block_on(passed(&CAPTURED).recorded_by(&timbal).traced());
    assert_eq!(CAPTURED.load(Ordering::Relaxed), 4);
}

#[test]
fn a_closure_decides_by_the_first_call() {
    let rule = |root: &Definition, _: RunId| root.name != "health" && root.name != "shard 7";
    let (timbal, heard) = hearing(Timbal::builder().record(rule));
    let call = timbal::call!("root", async {
        health().await; // no run of its own
        health().detached().await;
        timbal::call!("shard 7", async { double(1).await }).detached().await
    });
    block_on(call.recorded_by(&timbal));
    block_on(health().recorded_by(&timbal));
    expect![[r#"
        START  root
        START  root.health
        START  root.health.double
        CHUNK  root.health.double 0
        OUTPUT root.health.double {"n":0} -> 0
        OUTPUT root.health {} -> true
        OUTPUT root null -> 2
    "#]]
    .assert_eq(&heard.show());
    assert_eq!(written(&timbal), 3);
}

#[test]
fn a_closure_that_panics_records() {
    let rule = |_: &Definition, _: RunId| -> bool { std::panic::panic_any("not today") };
    let (timbal, _) = hearing(Timbal::builder().record(rule));
    assert_eq!(block_on(double(1).recorded_by(&timbal)), 2);
    assert_eq!(written(&timbal), 1);
}

/// What two processes would do: two recorders with the same ratio.
#[test]
fn all_who_take_part_in_a_run_agree() {
    let recorders =
        [0.5, 0.5, 0.9].map(|share| Timbal::builder().record(Ratio::new(share)).build());
    let mut recorded = 0;
    for _ in 0..200 {
        let call = timbal::call!("root", skip_output, async { current().unwrap().traceparent() });
        let header: Traceparent = block_on(call.recorded_by(&recorders[0]));
        let [_, same, higher] = &recorders;
        let continued = |timbal| {
            let call =
                timbal::call!("next", skip_output, async { current().unwrap().traceparent() });
            block_on(call.continues(header).recorded_by(timbal))
        };
        assert_eq!(continued(same).is_sampled(), header.is_sampled());
        assert!(continued(higher).is_sampled() || !header.is_sampled());
        recorded += u64::from(header.is_sampled());
    }
    assert_eq!((written(&recorders[0]), written(&recorders[1])), (recorded, recorded));
    assert!((40..160).contains(&recorded), "{recorded}"); // eight standard deviations
}
