//! Calls that are given no more than some time.

use std::future::pending;
use std::time::Duration;

use expect_test::expect;
use timbal::{Elapsed, Event, StatusCode, Timbal, runnable};
use timbal_tests::{Heard, poll_and_drop, read_all, show};
use tokio::time::{Instant, sleep};

const SECOND: Duration = Duration::from_secs(1);

#[runnable]
async fn nap(seconds: u32) -> u32 {
    sleep(SECOND * seconds).await;
    seconds
}

#[runnable]
async fn two_naps(first: u32, second: u32) -> u32 {
    timbal::usage("naps", 2);
    let (first, second) = futures::join!(nap(first), nap(second));
    first + second
}

#[runnable]
async fn hurried(seconds: u32) -> Result<u32, Elapsed> {
    let slept = nap(seconds).timeout(2 * SECOND).await?;
    Ok(slept)
}

#[tokio::test(start_paused = true)]
async fn a_call_in_time_gives_its_value() {
    assert_eq!(nap(1).timeout(2 * SECOND).await, Ok(1));
    let (slept, trace) = two_naps(1, 2).timeout(Duration::MAX).traced().await;
    assert_eq!((slept, trace.spans.len()), (Ok(3), 3));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_takes_longer_ends_then() {
    let start = Instant::now();
    let (slept, trace) = two_naps(1, 9).timeout(3 * SECOND).traced().await;
    assert_eq!(slept.unwrap_err().limit, 3 * SECOND);
    assert!((3 * SECOND..4 * SECOND).contains(&start.elapsed()));
    expect![[r#"
        two_naps {"first":1,"second":9} -- timeout
          nap {"seconds":1} -> 1
          nap {"seconds":9} -- cancelled (dropped)"#]]
    .assert_eq(&trace.to_string());
    assert_eq!(trace.root().unwrap().usage["naps"], 2);
}

#[tokio::test(start_paused = true)]
async fn what_is_below_is_cancelled_first() {
    let events = read_all(two_naps(8, 9).timeout(SECOND).events()).await;
    expect![[r#"
        START  two_naps
        START  two_naps.nap
        START  two_naps.nap
        OUTPUT two_naps.nap {"seconds":9} -- cancelled (dropped)
        OUTPUT two_naps.nap {"seconds":8} -- cancelled (dropped)
        OUTPUT two_naps {"first":8,"second":9} -- timeout
    "#]]
    .assert_eq(&show(&events));
}

#[tokio::test(start_paused = true)]
async fn the_caller_sees_an_error_of_its_own() {
    let (done, trace) = hurried(5).traced().await;
    assert_eq!(done.unwrap_err().to_string(), "the call took longer than 2s");
    expect![[r#"
        hurried {"seconds":5} !! timbal::Elapsed: the call took longer than 2s
          nap {"seconds":5} -- timeout"#]]
    .assert_eq(&trace.to_string());
}

#[tokio::test(start_paused = true)]
async fn settings_stand_before_and_after() {
    let heard = Heard::default();
    let timbal = Timbal::builder().subscriber(heard.clone()).build();
    let call = nap(5).metadata("try", 1).timeout(SECOND).metadata("of", 3).recorded_by(&timbal);
    let done = call.collect().await;
    assert_eq!(serde_json::to_string(&done.metadata).unwrap(), r#"{"of":3,"try":1}"#);
    assert_eq!(
        serde_json::to_string(&done.status).unwrap(),
        r#"{"code":"timeout","reason":null,"message":null}"#
    );
    assert_eq!(heard.show(), "START  nap\nOUTPUT nap {\"seconds\":5} -- timeout\n");
}

#[tokio::test(start_paused = true)]
async fn the_time_counts_from_the_first_poll() {
    let call = nap(2).timeout(3 * SECOND);
    sleep(10 * SECOND).await;
    assert_eq!(call.await, Ok(2));
}

#[tokio::test(start_paused = true)]
async fn no_time_is_enough_for_what_does_not_wait() {
    let ready = timbal::call!("ready", async { 7 });
    assert_eq!(ready.timeout(Duration::ZERO).await, Ok(7));
    assert!(nap(1).timeout(Duration::ZERO).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_dropped_one_is_cancelled() {
    let heard = Heard::default();
    let timbal = Timbal::builder().subscriber(heard.clone()).build();
    poll_and_drop(1, nap(1).recorded_by(&timbal).timeout(SECOND));
    assert_eq!(heard.show(), "START  nap\nOUTPUT nap {\"seconds\":1} -- cancelled (dropped)\n");
    poll_and_drop(0, nap(1).recorded_by(&timbal).timeout(SECOND));
    assert_eq!(heard.show().lines().count(), 2);
}

#[tokio::test(start_paused = true)]
async fn nothing_need_be_recorded() {
    let (says, said) = tokio::sync::oneshot::channel::<()>();
    let call = timbal::call!("unheard", async {
        let _says = says;
        pending::<()>().await
    });
    let mut call = Box::pin(call.timeout(SECOND));
    assert!(call.as_mut().await.is_err());
    assert!(said.await.is_err()); // the body is dropped, though the handle is not
    drop(call);
}

/// The reader of the call above reads no more, so that this one finds no place for its Start.
#[tokio::test(start_paused = true)]
async fn a_call_that_finds_no_place_is_timed_out_too() {
    let (send, mut nested) = tokio::sync::mpsc::channel(1);
    let call = timbal::call!("root", async {
        timbal::spawn(async {
            loop {
                timbal::emit("more").await;
            }
        });
        let nested = tokio::spawn(nap(0).timeout(SECOND).collect());
        send.send(nested).await.unwrap();
        pending::<()>().await;
    });
    let mut events = call.events();
    assert!(matches!(events.next().await, Some(Event::Start(_))));
    let done = nested.recv().await.unwrap().await.unwrap();
    assert_eq!((done.path.as_str(), done.status.code), ("root.nap", StatusCode::Timeout));
}

/// It is only ever interrupted when it has used up what tokio lets a task do at a time.
#[tokio::test(start_paused = true)]
async fn a_call_that_never_rests_is_timed_out() {
    let busy = timbal::call!("busy", async {
        let end = Instant::now() + 1_000 * SECOND;
        while Instant::now() < end {
            poll_and_drop(1, tokio::time::advance(Duration::from_millis(100)));
            for _ in 0..1_000 {
                tokio::task::coop::consume_budget().await;
            }
        }
    });
    assert!(busy.timeout(SECOND).await.is_err());
}

#[test]
fn outside_of_tokio_it_fails_when_it_has_to_wait() {
    let heard = Heard::default();
    let timbal = Timbal::builder().subscriber(heard.clone()).build();
    let ready = timbal::call!("ready", async { 7 });
    assert_eq!(futures::executor::block_on(ready.timeout(SECOND)), Ok(7));
    let waits = timbal::call!("waits", async {
        timbal::call!("below", pending::<()>()).await;
    });
    let done = waits.recorded_by(&timbal).timeout(SECOND).collect();
    let done = futures::executor::block_on(done);
    assert_eq!(done.error.unwrap().type_name(), "panic");
    let ends: Vec<_> = heard.show().lines().skip(2).map(|line| line[..18].to_owned()).collect();
    assert_eq!(ends, ["OUTPUT waits.below", "OUTPUT waits null "]);
}
