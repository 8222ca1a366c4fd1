//! Several readers of one run, at once.

use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use expect_test::expect;
use futures::executor::block_on;
use futures::future::{BoxFuture, pending};
use futures::{FutureExt, Stream, StreamExt, pending, stream};
use timbal::{Event, StatusCode, Timbal, runnable};
use timbal_tests::{Heard, poll_and_drop, read_all, show};

#[runnable]
async fn count(to: u64) -> u64 {
    for n in 0..to {
        step(n).await;
        timbal::emit(n).await;
    }
    to
}

#[runnable]
async fn step(n: u64) -> u64 {
    n
}

#[runnable]
fn numbers(to: u64) -> impl Stream<Item = u64> {
    stream::iter(0..to)
}

#[test]
fn a_nested_call_and_its_root_are_read_at_once() {
    let call = timbal::call!("root", async {
        let mut inner = count(2).events();
        let mut seen = Vec::new();
        while let Some(event) = inner.next().await {
            timbal::try_emit(event.path()); // what the root says between two events of the other
            seen.push(event);
        }
        show(&seen)
    });
    let events = block_on(read_all(call.events()));
    let Some(Event::Output(done)) = events.last() else { panic!("no output") };
    let of_the_nested: Vec<_> = events.iter().filter(|e| e.path().contains("count")).collect();
    assert_eq!(done.output, show(of_the_nested));
    expect![[r#"
        START  root.count
        START  root.count.step
        OUTPUT root.count.step {"n":0} -> 0
        CHUNK  root.count 0
        START  root.count.step
        OUTPUT root.count.step {"n":1} -> 1
        CHUNK  root.count 1
        OUTPUT root.count {"to":2} -> 2
    "#]]
    .assert_eq(&done.output.get::<String>().unwrap());
}

#[test]
fn three_readers_below_each_other_hear_all_that_is_below_them() {
    let call = timbal::call!("a", async {
        let b = timbal::call!("b", async {
            let c = timbal::call!("c", async { count(1).await });
            read_all(c.events()).await.len()
        });
        let events = read_all(b.events()).await;
        let Some(Event::Output(done)) = events.last() else { panic!("no output") };
        (done.output.get::<usize>().unwrap(), events.len())
    });
    let events = block_on(read_all(call.events()));
    let Some(Event::Output(done)) = events.last() else { panic!("no output") };
    assert_eq!((done.output.as_json(), events.len()), ("[7,9]", 11));
}

#[runnable]
fn steps(to: u64) -> impl Stream<Item = u64> {
    stream::iter(0..to).then(|n| async move {
        let current = timbal::current().unwrap();
        let elsewhere = std::thread::spawn(move || current.run(|| block_on(step(n))));
        elsewhere.join().unwrap()
    })
}

#[test]
fn what_was_said_before_an_item_is_read_before_it() {
    expect![[r#"
        START  steps
        START  steps.step
        OUTPUT steps.step {"n":0} -> 0
        CHUNK  steps 0
        START  steps.step
        OUTPUT steps.step {"n":1} -> 1
        CHUNK  steps 1
        OUTPUT steps {"to":2} -> [0,1]
    "#]]
    .assert_eq(&show(&block_on(read_all(steps(2).events()))));
}

#[test]
fn an_item_is_heard_by_the_readers_of_all_calls_above_and_by_subscribers() {
    let heard = Heard::default();
    let timbal = Timbal::builder().subscriber(heard.clone()).build();
    let call = timbal::call!("root", async {
        let own = read_all(numbers(2).events()).await;
        own.iter().filter(|event| matches!(event, Event::Chunk(_))).count()
    });
    let events = block_on(read_all(call.recorded_by(&timbal).events()));
    expect![[r#"
        START  root
        START  root.numbers
        CHUNK  root.numbers 0
        CHUNK  root.numbers 1
        OUTPUT root.numbers {"to":2} -> [0,1]
        OUTPUT root null -> 2
    "#]]
    .assert_eq(&show(&events));
    assert_eq!(heard.show(), show(&events));
}

/// Drops what it has when it is woken.
#[derive(Default)]
struct Dropper(Mutex<Option<BoxFuture<'static, ()>>>);

impl Wake for Dropper {
    fn wake(self: Arc<Self>) {
        drop(self.0.lock().unwrap().take());
    }
}

#[test]
fn nothing_comes_behind_the_output_of_the_call_that_is_read() {
    let dropper = Arc::<Dropper>::default();
    let waker = Waker::from(Arc::clone(&dropper));
    let mut cx = Context::from_waker(&waker);
    let root = timbal::call!("root", async {
        let mut outlives = timbal::call!("outlives", pending::<()>()).boxed();
        assert!((&mut outlives).now_or_never().is_none());
        *dropper.0.lock().unwrap() = Some(outlives);
        pending!();
        pending!(); // the reader has read all, and what the call says next wakes it
    });
    let mut events = root.events();
    let read: Vec<_> = std::iter::from_fn(|| match events.poll_next_unpin(&mut cx) {
        Poll::Ready(event) => event,
        Poll::Pending => events.next().now_or_never().flatten(),
    })
    .collect();
    assert!(dropper.0.lock().unwrap().is_none());
    expect![[r#"
        START  root
        START  root.outlives
        OUTPUT root null -> null
    "#]]
    .assert_eq(&show(&read));
}

#[test]
fn a_reader_that_goes_cancels_its_call_alone() {
    let call = timbal::call!("root", async {
        let mut events = count(5_000).events();
        for _ in 0..3 {
            events.next().await;
        }
        drop(events);
        step(7).await
    });
    let events = block_on(read_all(call.events()));
    let ends: Vec<_> = events.iter().filter(|e| matches!(e, Event::Output(_))).collect();
    let nested = ends.iter().find(|event| event.path() == "root.count").unwrap();
    let Event::Output(nested) = nested else { unreachable!("these are outputs") };
    assert_eq!(nested.status.code, StatusCode::Cancelled);
    expect![[r#"
        OUTPUT root.count {"to":5000} -- cancelled (dropped)
        START  root.step
        OUTPUT root.step {"n":7} -> 7
        OUTPUT root null -> 7
    "#]]
    .assert_eq(&show(&events[events.len() - 4..]));
}

#[test]
fn a_root_whose_reader_goes_takes_all_with_it() {
    let heard = Heard::default();
    let timbal = Timbal::builder().subscriber(heard.clone()).build();
    let call = timbal::call!("root", async {
        let mut events = count(5_000).events();
        while events.next().await.is_some() {}
    });
    let mut events = call.recorded_by(&timbal).events();
    for _ in 0..5 {
        poll_and_drop(1, events.next());
    }
    drop(events);
    let heard = heard.show();
    let (starts, ends) = (heard.matches("START ").count(), heard.matches("OUTPUT ").count());
    assert_eq!(starts, ends);
    let last: Vec<_> = heard.lines().rev().take(2).collect();
    let cancelled = "OUTPUT root null -- cancelled (dropped)";
    let nested = "OUTPUT root.count {\"to\":5000} -- cancelled (dropped)";
    assert_eq!(last, [cancelled, nested]);
}

/// The reader of the root is quick, and that of the call in a task of its own reads when it is told.
#[tokio::test]
async fn the_slowest_reader_sets_the_pace() {
    let (go, mut wait) = tokio::sync::mpsc::channel::<()>(1);
    let call = timbal::call!("root", async {
        let mut events = count(1_000).events();
        timbal::spawn(async move {
            events.next().await; // this starts it, and lets it go as far as there are places
            wait.recv().await;
            events.collect().await.output.get::<u64>().unwrap()
        })
        .await
        .unwrap()
    });
    let mut events = call.events();
    let mut before = 0;
    while let Ok(Some(_)) = tokio::time::timeout(std::time::Duration::ZERO, events.next()).await {
        before += 1;
    }
    assert!(before <= 1_026, "{before}"); // 1,024 places, and the Starts of both calls
    go.send(()).await.unwrap();
    assert_eq!(before + events.by_ref().count().await, 3_004);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn floods_from_many_tasks_are_read_whole() {
    let call = timbal::call!("root", async {
        let tasks = (0..8).map(|_| tokio::spawn(count(1_000).events().count()));
        futures::future::join_all(tasks).await.into_iter().map(Result::unwrap).sum::<usize>()
    });
    let events = read_all(call.events()).await;
    let Some(Event::Output(done)) = events.last() else { panic!("no output") };
    assert_eq!((done.output.as_json(), events.len()), ("24016", 24_018));
}
