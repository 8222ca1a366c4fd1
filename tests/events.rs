//! The events of a call: which, in what order, and who sets the pace.

use std::cell::Cell;
use std::rc::Rc;

use expect_test::expect;
use futures::executor::block_on;
use timbal::{Event, StatusCode, runnable};
use timbal_tests::{check, read_all, show};

#[runnable]
async fn double(n: u64) -> u64 {
    n * 2
}

#[runnable]
async fn sum_of_doubles(a: u64, b: u64) -> u64 {
    double(a).await + double(b).await
}

#[runnable]
async fn both(a: u64, b: u64) -> u64 {
    let yielding = async {
        pending_once().await;
        double(a).await
    };
    let (a, b) = futures::join!(yielding, double(b));
    a + b
}

#[runnable]
async fn outer() -> u64 {
    sum_of_doubles(1, 2).await
}

#[runnable]
async fn count(to: u64) -> u64 {
    for n in 0..to {
        timbal::emit(n).await;
    }
    to
}

#[runnable]
async fn parse(text: &str) -> Result<u64, std::num::ParseIntError> {
    text.parse()
}

#[runnable]
async fn divide(a: u64, b: u64) -> u64 {
    a.checked_div(b).unwrap_or_else(|| panic!("{a} cannot be divided by zero"))
}

async fn pending_once() {
    let mut first = true;
    std::future::poll_fn(|cx| {
        cx.waker().wake_by_ref();
        if std::mem::take(&mut first) {
            std::task::Poll::Pending
        } else {
            std::task::Poll::Ready(())
        }
    })
    .await;
}

#[test]
fn a_call_starts_and_ends() {
    check(
        double(3).events(),
        expect![[r#"
        START  double
        OUTPUT double {"n":3} -> 6
    "#]],
    );
}

#[test]
fn calls_below_come_in_between() {
    check(
        outer().events(),
        expect![[r#"
        START  outer
        START  outer.sum_of_doubles
        START  outer.sum_of_doubles.double
        OUTPUT outer.sum_of_doubles.double {"n":1} -> 2
        START  outer.sum_of_doubles.double
        OUTPUT outer.sum_of_doubles.double {"n":2} -> 4
        OUTPUT outer.sum_of_doubles {"a":1,"b":2} -> 6
        OUTPUT outer {} -> 6
    "#]],
    );
}

#[test]
fn concurrent_calls_come_as_they_happen() {
    check(
        both(1, 2).events(),
        expect![[r#"
        START  both
        START  both.double
        OUTPUT both.double {"n":2} -> 4
        START  both.double
        OUTPUT both.double {"n":1} -> 2
        OUTPUT both {"a":1,"b":2} -> 6
    "#]],
    );
}

#[test]
fn emitted_values_are_chunks() {
    check(
        count(2).events(),
        expect![[r#"
        START  count
        CHUNK  count 0
        CHUNK  count 1
        OUTPUT count {"to":2} -> 2
    "#]],
    );
}

#[test]
fn an_error_is_in_the_output() {
    check(
        parse("x").events(),
        expect![[r#"
        START  parse
        OUTPUT parse {"text":"x"} !! std::num::ParseIntError: invalid digit found in string
    "#]],
    );
}

#[test]
fn a_panic_is_in_the_output() {
    check(
        divide(1, 0).events(),
        expect![[r#"
        START  divide
        OUTPUT divide {"a":1,"b":0} !! panic: 1 cannot be divided by zero
    "#]],
    );
}

#[test]
fn ids_tell_who_made_whom() {
    let events = block_on(read_all(sum_of_doubles(1, 2).events()));
    let (root, children) = (&events[0], &events[1..5]);
    assert!(root.is_root());
    assert!(events.iter().all(|event| event.run_id() == root.run_id()));
    assert!(children.iter().all(|event| event.parent_call_id() == Some(root.call_id())));
    assert_eq!(children[0].call_id(), children[1].call_id());
    assert_ne!(children[0].call_id(), children[2].call_id());
}

#[test]
fn collect_gives_the_output_event() {
    let done = block_on(double(3).collect());
    assert_eq!((done.path.as_str(), done.status.code), ("double", StatusCode::Success));
    assert_eq!(done.output.get::<u64>().unwrap(), 6);
    assert!(done.t0 <= done.t1);
}

#[test]
fn collect_never_fails_and_never_panics() {
    let failed = block_on(parse("x").collect());
    assert_eq!(failed.status.code, StatusCode::Error);
    assert!(failed.output.is_null());
    let error = block_on(divide(1, 0).collect()).error.unwrap();
    let place = "tests/events.rs:50:10, in divide";
    assert_eq!(error.type_name(), "panic");
    assert_eq!(
        error.traceback().replace(place, "HERE"),
        "Traceback (most recent call last):\n  HERE\npanic: 1 cannot be divided by zero"
    );
}

#[test]
fn events_collect_takes_the_rest() {
    let done = block_on(async {
        let mut events = count(3).events();
        assert!(matches!(events.next().await, Some(Event::Start(_))));
        events.collect().await
    });
    assert_eq!(done.output, 3);
}

#[test]
fn events_collect_gives_the_output_also_if_it_was_read() {
    let done = block_on(async {
        let mut events = double(3).events();
        while events.next().await.is_some() {}
        events.collect().await
    });
    assert_eq!(done.output, 6);
}

#[test]
fn the_reader_sets_the_pace() {
    let emitted = Rc::new(Cell::new(0));
    let counter = Rc::clone(&emitted);
    let call = timbal::call!("flood", async move {
        for n in 0..5_000 {
            timbal::emit(n).await;
            counter.set(n + 1);
        }
    });
    block_on(async {
        let mut events = call.events();
        let mut read = 0;
        while events.next().await.is_some() {
            read += 1;
            assert!(emitted.get() <= read + 1_024, "{} ahead of {read}", emitted.get());
        }
        assert_eq!((read, emitted.get()), (5_002, 5_000));
    });
}

#[tokio::test]
async fn calls_on_other_tasks_are_heard() {
    let call = timbal::call!("spawner", async { tokio::spawn(double(4)).await.unwrap() });
    expect![[r#"
        START  spawner
        START  spawner.double
        OUTPUT spawner.double {"n":4} -> 8
        OUTPUT spawner null -> 8
    "#]]
    .assert_eq(&show(&read_all(call.events()).await));
}

#[tokio::test]
async fn what_outlives_a_call_is_not_in_its_events() {
    let (go, wait) = tokio::sync::oneshot::channel::<()>();
    let mut task = None;
    let call = timbal::call!("parent", async {
        let (starts, started) = tokio::sync::oneshot::channel::<()>();
        let survivor = timbal::call!("survivor", async {
            starts.send(()).unwrap();
            wait.await.unwrap();
        });
        task = Some(tokio::spawn(survivor));
        started.await.unwrap();
    });
    let mut events = call.events();
    let heard = [events.next().await, events.next().await, events.next().await];
    go.send(()).unwrap();
    assert!(events.next().await.is_none());
    drop(events);
    task.unwrap().await.unwrap();
    expect![[r#"
        START  parent
        START  parent.survivor
        OUTPUT parent null -> null
    "#]]
    .assert_eq(&show(heard.iter().flatten()));
}

#[test]
fn two_readers_hear_the_same_call() {
    let call = timbal::call!("root", async {
        let inner = read_all(double(1).events()).await;
        show(&inner)
    });
    let (inner, outer) = block_on(async {
        let events = read_all(call.events()).await;
        let Some(Event::Output(done)) = events.last() else { panic!("no output") };
        (done.output.get::<String>().unwrap(), show(&events))
    });
    assert_eq!(
        inner,
        "START  double\nOUTPUT double {\"n\":1} -> 2\n".replace("double", "root.double")
    );
    assert!(outer.contains("START  root.double\n"));
}

#[test]
fn handles_are_send_when_their_bodies_are() {
    fn assert_send<T: Send>(value: T) -> T {
        value
    }
    let events = assert_send(assert_send(double(1)).events());
    drop(events);
    drop(assert_send(double(1).collect()));
    drop(assert_send(double(1).traced()));
}
