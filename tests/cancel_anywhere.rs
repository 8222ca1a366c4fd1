//! A nested workflow that is dropped at every point where it can be.

use std::pin::Pin;
use std::sync::Mutex;
use std::task::{Context, Poll, Waker};

use expect_test::expect;
use futures::stream::{FuturesUnordered, StreamExt};
use futures::{Stream, stream};
use timbal::{Event, StatusCode, Timbal, runnable};
use timbal_tests::rules::{broken_by_events, broken_by_trace};
use timbal_tests::{poll_and_drop, show};

/// Is pending so often.
async fn pause(times: u32) {
    for _ in 0..times {
        let mut is_first = true;
        std::future::poll_fn(|cx| {
            cx.waker().wake_by_ref();
            if std::mem::take(&mut is_first) { Poll::Pending } else { Poll::Ready(()) }
        })
        .await
    }
}

#[runnable]
async fn leaf(pauses: u32) -> u32 {
    timbal::usage("leaves", 1);
    pause(pauses).await;
    timbal::emit(pauses).await;
    pause(1).await;
    pauses
}

#[runnable]
async fn refuses(pauses: u32) -> Result<u32, String> {
    pause(pauses).await;
    Err("no".to_owned())
}

#[runnable]
fn numbers(to: u32) -> impl Stream<Item = u32> {
    stream::iter(0..to).then(|n| async move {
        pause(1).await;
        leaf(n).await
    })
}

#[runnable]
fn whole(n: u32) -> u32 {
    n + 1
}

#[runnable]
async fn workflow() -> u32 {
    let (a, b) = futures::join!(leaf(1), async { leaf(2).await + leaf(0).await });
    let first = tokio::select! {
        biased;
        slow = leaf(9) => slow,
        quick = leaf(1) => quick,
    };
    let unordered: Vec<_> = (0..3).map(leaf).collect::<FuturesUnordered<_>>().collect().await;
    let mut items = Box::pin(numbers(3));
    let mut sum = unordered.iter().sum::<u32>() + refuses(1).await.unwrap_or(1);
    while let Some(item) = items.next().await {
        sum += whole(item) + leaf(1).await;
    }
    let taken = numbers(5).take(1).collect::<Vec<_>>().await;
    let timed = leaf(1).events().collect().await.output.get::<u32>().unwrap_or(0);
    sum + a + b + first + taken.len() as u32 + timed
}

/// Polls the workflow so often and drops it: whether it ended, and its events.
fn drop_after(polls: usize) -> (bool, Vec<Event>, Timbal) {
    static HEARD: Mutex<Vec<Event>> = Mutex::new(Vec::new());
    let hears = |event: &Event| HEARD.lock().unwrap().push(event.clone());
    let timbal = Timbal::builder().subscriber(hears).build();
    let ended = poll_and_drop(polls, workflow().recorded_by(&timbal)).is_some();
    (ended, std::mem::take(&mut HEARD.lock().unwrap()), timbal)
}

// One test, as the subscriber's events are the process's.
#[test]
fn a_workflow_can_be_dropped_anywhere() {
    assert_eq!(drop_after(0).1, []);
    let mut most = 0;
    for polls in 1.. {
        let (ended, events, timbal) = drop_after(polls);
        let nobody = |_: &Event| false;
        assert_eq!(broken_by_events(&events, nobody), [""; 0], "after {polls} polls");
        let trace = futures::executor::block_on(timbal.trace(events[0].run_id()));
        let trace = trace.unwrap().unwrap();
        assert_eq!(broken_by_trace(&trace, &events, |_| false), [""; 0], "after {polls} polls");
        let cancelled = |span: &&timbal::Span| span.status.code == StatusCode::Cancelled;
        let open = trace.spans.iter().filter(cancelled).count();
        assert_eq!(trace.root().unwrap().status.is_success(), ended);
        most = most.max(open);
        if polls == 2 {
            expect![[r#"
                START  workflow
                START  workflow.leaf
                START  workflow.leaf
                CHUNK  workflow.leaf 1
                OUTPUT workflow.leaf {"pauses":2} -- cancelled (dropped)
                OUTPUT workflow.leaf {"pauses":1} -- cancelled (dropped)
                OUTPUT workflow {} -- cancelled (dropped)
            "#]]
            .assert_eq(&show(&events));
        }
        if ended {
            assert!(polls > 25 && trace.spans.len() > 20, "{polls} polls, {trace}");
            break;
        }
        assert_eq!(trace.root().unwrap().polls as usize, polls);
    }
    assert_eq!(most, 4); // the workflow and three leaves: the one that lost is dropped in any case
}

#[test]
fn what_a_runtime_drops_is_cancelled() {
    let heard = timbal_tests::Heard::default();
    let timbal = Timbal::builder().subscriber(heard.clone()).build();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let (starts, started) = std::sync::mpsc::channel();
    let call = timbal::call!("root", async move {
        let nested = timbal::call!("nested", async {
            starts.send(()).unwrap();
            std::future::pending::<()>().await;
        });
        nested.await
    });
    runtime.spawn(call.recorded_by(&timbal));
    started.recv().unwrap();
    drop(runtime);
    expect![[r#"
        START  root
        START  root.nested
        OUTPUT root.nested null -- cancelled (dropped)
        OUTPUT root null -- cancelled (dropped)
    "#]]
    .assert_eq(&heard.show());
}

#[test]
fn what_an_abort_drops_is_cancelled() {
    let heard = timbal_tests::Heard::default();
    let timbal = Timbal::builder().subscriber(heard.clone()).build();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let task = tokio::spawn(leaf(u32::MAX).recorded_by(&timbal));
        tokio::task::yield_now().await;
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
        let never = tokio::spawn(leaf(0).recorded_by(&timbal));
        never.abort(); // before its first poll: it says nothing
        assert!(never.await.unwrap_err().is_cancelled());
    });
    expect![[r#"
        START  leaf
        OUTPUT leaf {"pauses":4294967295} -- cancelled (dropped)
    "#]]
    .assert_eq(&heard.show());
}

/// What a stream gave until it was dropped is its output.
#[test]
fn what_was_there_is_kept() {
    let timbal = Timbal::builder().build();
    let mut call = Box::pin(
        timbal::call!("root", async {
            let mut items = Box::pin(numbers(100));
            while items.next().await.is_some() {}
        })
        .recorded_by(&timbal)
        .events(),
    );
    let mut cx = Context::from_waker(Waker::noop());
    let mut run = None;
    for _ in 0..40 {
        if let Poll::Ready(Some(event)) = Pin::new(&mut call).poll_next(&mut cx) {
            run = Some(event.run_id());
        }
    }
    drop(call);
    let trace = futures::executor::block_on(timbal.trace(run.unwrap())).unwrap().unwrap();
    let kept = trace.find("root.numbers").unwrap();
    assert_eq!(kept.status.code, StatusCode::Cancelled);
    assert!(kept.output.as_json().starts_with("[0,1,2"), "{}", kept.output);
}
