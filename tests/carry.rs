//! Calls across threads, tasks and executors: where they belong, and what is said too late.

use std::sync::mpsc;
use std::thread;

use expect_test::expect;
use futures::executor::block_on;
use futures::{Stream, StreamExt, stream};
use rayon::prelude::*;
use timbal::{Current, InCurrent, Timbal, current, in_current, runnable};
use timbal_tests::{Heard, poll_and_drop, read_all, show};
use tokio::sync::oneshot;

#[runnable]
async fn leaf(n: u64) -> u64 {
    timbal::usage("leaves", 1);
    n
}

#[runnable]
fn leaf_now(n: u64) -> u64 {
    timbal::usage("leaves", 1);
    n
}

#[runnable]
fn leaves(to: u64) -> impl Stream<Item = u64> {
    stream::iter(0..to).then(leaf)
}

#[runnable]
async fn three_in_turn() -> u64 {
    let mut sum = 0;
    let mut leaves = Box::pin(leaves(3));
    while let Some(n) = leaves.next().await {
        sum += leaf_now(n);
    }
    sum
}

/// What the runs of this whole look like, wherever they ran: a leaf a number.
const THREE_LEAVES: &str = r#"root -> 3
  leaf {"n":0} -> 0
  leaf {"n":1} -> 1
  leaf {"n":2} -> 2"#;

#[test]
fn threads_carry_the_call() {
    let call = timbal::call!("root", async {
        let start = |n| thread::spawn(in_current(move || block_on(leaf(n)))).join().unwrap();
        (0..3).map(start).sum::<u64>()
    });
    let (_, trace) = block_on(call.traced());
    assert_eq!((trace.to_string().as_str(), trace.root().unwrap().calls), (THREE_LEAVES, 3));
}

#[test]
fn a_thread_pool_carries_the_call() {
    let call = timbal::call!("root", async {
        let here = current().unwrap();
        let sum = || (0..64u64).into_par_iter().map(|n| here.run(|| leaf_now(n))).sum::<u64>();
        let (a, b) = rayon::join(in_current(|| leaf_now(0)), in_current(sum));
        a + b
    });
    let (sum, trace) = block_on(call.traced());
    let root = trace.root().unwrap();
    assert_eq!((sum, root.usage["leaves"], root.calls), (63 * 32, 65, 65));
    assert_eq!(trace.children(root.call_id).len(), 65);
}

#[test]
fn a_scope_of_threads_carries_the_call() {
    let call = timbal::call!("root", async {
        let mut sums = [0; 3];
        rayon::in_place_scope(|scope| {
            for (n, sum) in (0..3).zip(&mut sums) {
                let work = in_current(move || *sum = leaf_now(n));
                scope.spawn(|_| work());
            }
        });
        sums.iter().sum::<u64>()
    });
    assert_eq!(block_on(call.traced()).1.root().unwrap().usage["leaves"], 3);
}

#[test]
fn the_call_of_a_thread_is_given_back() {
    let call = timbal::call!("root", async {
        let root = current().unwrap();
        let other = timbal::call!("other", skip_output, async { current().unwrap() }).await;
        let inside = other.run(|| current().unwrap().path());
        let caught = std::panic::catch_unwind(|| other.run(|| std::panic::panic_any(7)));
        assert!(caught.is_err());
        (inside, current().unwrap().call_id() == root.call_id())
    });
    assert_eq!(block_on(call.traced()).0, ("root.other".to_owned(), true));
}

#[test]
fn outside_of_a_call_a_closure_stays_what_it_is() {
    let outside = in_current(|| current().map(|call| call.path()));
    let future = async { current().map(|call| call.path()) }.in_current();
    let call = timbal::call!("root", async { (outside(), future.await) });
    let path = Some("root".to_owned());
    assert_eq!(block_on(call.traced()).0, (path.clone(), path));
}

async fn spawned() -> u64 {
    let tasks = (0..3).map(|n| timbal::spawn(async move { leaf(n).await }));
    futures::future::join_all(tasks).await.into_iter().map(Result::unwrap).sum()
}

#[tokio::test]
async fn spawned_tasks_carry_the_call() {
    let (_, trace) = timbal::call!("root", spawned()).traced().await;
    assert_eq!(trace.to_string(), THREE_LEAVES);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn spawned_tasks_carry_the_call_across_threads() {
    let call = timbal::call!("root", async {
        futures::future::join_all((0..100).map(|_| timbal::spawn(spawned()))).await.len()
    });
    let (_, trace) = call.traced().await;
    let root = trace.root().unwrap();
    assert_eq!((root.usage["leaves"], trace.children(root.call_id).len()), (300, 300));
}

#[tokio::test]
async fn the_blocking_pool_carries_the_call() {
    let call = timbal::call!("root", async {
        let work = in_current(|| (0..3).map(leaf_now).sum::<u64>());
        tokio::task::spawn_blocking(work).await.unwrap()
    });
    let (_, trace) = call.traced().await;
    assert_eq!(trace.to_string(), THREE_LEAVES.replace("leaf", "leaf_now"));
}

#[tokio::test]
async fn a_local_set_carries_the_call() {
    let local = tokio::task::LocalSet::new();
    let call = timbal::call!("root", async {
        let not_send = std::rc::Rc::new(0_u64);
        let task = |n| {
            let n = *not_send + n;
            tokio::task::spawn_local(async move { leaf(n).await }.in_current())
        };
        let tasks = futures::future::join_all((0..3).map(task)).await;
        tasks.into_iter().map(Result::unwrap).sum::<u64>()
    });
    let (_, trace) = local.run_until(call.traced()).await;
    assert_eq!(trace.to_string(), THREE_LEAVES);
}

#[test]
fn no_executor_is_preferred() {
    let executor = smol::Executor::new();
    let call = timbal::call!("root", async {
        let task = |n| executor.spawn(async move { leaf(n).await }.in_current());
        futures::future::join_all((0..3).map(task)).await.into_iter().sum::<u64>()
    });
    let run = thread::scope(|scope| {
        let (stop, stopped) = smol::channel::bounded::<()>(1);
        for _ in 0..2 {
            let (executor, stopped) = (&executor, stopped.clone());
            scope.spawn(move || smol::block_on(executor.run(stopped.recv())));
        }
        let run = smol::block_on(call.traced());
        drop(stop);
        run
    });
    let mut lines: Vec<_> = run.1.to_string().lines().map(str::to_owned).collect();
    lines.sort_by_key(|line| line.trim_start().starts_with("leaf").then(|| line.clone()));
    assert_eq!(lines.join("\n"), THREE_LEAVES);
}

#[tokio::test]
async fn a_loop_of_selects_keeps_the_call() {
    let call = timbal::call!("root", async {
        let (mut sum, mut calls) = (0, Box::pin(leaves(4)));
        let mut never = Box::pin(timbal::call!("never", std::future::pending::<()>()));
        loop {
            tokio::select! {
                biased;
                () = &mut never => unreachable!("it never ends"),
                item = calls.next() => match item {
                    Some(n) => sum += leaf(n).await,
                    None => break sum,
                },
            }
        }
    });
    expect![[r#"
        root -> 6
          never -- cancelled (dropped)
          leaves {"to":4} -> [0,1,2,3]
            leaf {"n":0} -> 0
            leaf {"n":1} -> 1
            leaf {"n":2} -> 2
            leaf {"n":3} -> 3
          leaf {"n":0} -> 0
          leaf {"n":1} -> 1
          leaf {"n":2} -> 2
          leaf {"n":3} -> 3"#]]
    .assert_eq(&call.traced().await.1.to_string());
}

#[test]
fn what_a_consumer_calls_is_no_child_of_the_stream() {
    let (_, trace) = block_on(three_in_turn().traced());
    expect![[r#"
        three_in_turn {} -> 3
          leaves {"to":3} -> [0,1,2]
            leaf {"n":0} -> 0
            leaf {"n":1} -> 1
            leaf {"n":2} -> 2
          leaf_now {"n":0} -> 0
          leaf_now {"n":1} -> 1
          leaf_now {"n":2} -> 2"#]]
    .assert_eq(&trace.to_string());
}

#[test]
fn a_carried_future_is_dropped_in_its_call() {
    struct Says;
    impl Drop for Says {
        fn drop(&mut self) {
            timbal::usage("dropped", 1);
        }
    }
    let call = timbal::call!("root", async {
        let says = Says;
        let future = async move {
            let _says = says;
            std::future::pending::<()>().await;
        };
        let carried = future.in_current();
        thread::spawn(move || poll_and_drop(1, carried)).join().unwrap();
    });
    assert_eq!(block_on(call.traced()).1.root().unwrap().usage["dropped"], 1);
}

#[test]
fn carried_work_is_send_when_it_is() {
    fn is_send<T: Send>(_: &T) {}
    let text = String::from("moved");
    is_send(&in_current(move || text));
    is_send(&async {}.in_current());
    block_on(timbal::call!("root", async { is_send(&current()) }));
}

/// A call whose task goes on when it has ended, and until it is told to.
async fn leaves_work_behind(go: oneshot::Receiver<()>) -> tokio::task::JoinHandle<bool> {
    let mut task = None;
    let work = async move {
        go.await.unwrap();
        timbal::usage("tokens", 7);
        timbal::emit("late").await;
        timbal::try_emit("later")
    };
    timbal::call!("parent", async { task = Some(timbal::spawn(work)) }).await;
    task.unwrap()
}

#[tokio::test]
async fn what_is_said_after_the_end_is_of_the_nearest_open_call() {
    let call = timbal::call!("root", async {
        let (go, wait) = oneshot::channel();
        let task = leaves_work_behind(wait).await;
        go.send(()).unwrap();
        task.await.unwrap()
    });
    let events = read_all(call.events()).await;
    expect![[r#"
        START  root
        START  root.parent
        OUTPUT root.parent null -> null
        CHUNK  root "late"
        CHUNK  root "later"
        OUTPUT root null -> true
    "#]]
    .assert_eq(&show(&events));
    let Some(timbal::Event::Output(done)) = events.last() else { panic!("no output") };
    assert_eq!(done.usage["tokens"], 7);
}

#[tokio::test]
async fn what_is_said_after_all_ends_is_counted() {
    let heard = Heard::default();
    let timbal = Timbal::builder().subscriber(heard.clone()).build();
    let (go, wait) = oneshot::channel();
    let call = timbal::call!("root", skip_output, leaves_work_behind(wait));
    let task = call.recorded_by(&timbal).await;
    go.send(()).unwrap();
    assert!(!task.await.unwrap());
    assert_eq!(timbal.health().late, 3);
    assert!(heard.show().ends_with("OUTPUT root null -> null\n"), "{}", heard.show());
}

#[test]
fn calls_made_after_the_end_are_in_the_trace() {
    let timbal = Timbal::builder().build();
    let (go, wait) = mpsc::channel::<()>();
    let call = timbal::call!("root", skip_output, async {
        let work = in_current(move || {
            wait.recv().unwrap();
            leaf_now(1)
        });
        (current().unwrap().run_id(), thread::spawn(work))
    });
    let (run, thread) = block_on(call.recorded_by(&timbal));
    go.send(()).unwrap();
    thread.join().unwrap();
    let trace = block_on(timbal.trace(run)).unwrap().unwrap();
    expect![[r#"
        root -> null
          leaf_now {"n":1} -> 1"#]]
    .assert_eq(&trace.to_string());
    assert_eq!(trace.root().unwrap().calls, 0);
}

/// A subscriber that says something of the call of which it is told.
#[test]
fn a_subscriber_that_speaks_waits_for_nobody() {
    let (send, calls) = mpsc::channel::<timbal::Current>();
    let calls = std::sync::Mutex::new(calls);
    let speaks = move |_: &timbal::Event| {
        if let Ok(call) = calls.lock().unwrap().try_recv() {
            call.run(|| timbal::try_emit("from the subscriber"));
        }
    };
    let timbal = Timbal::builder().subscriber(speaks).build();
    let call = timbal::call!("root", async {
        send.send(current().unwrap()).unwrap();
        timbal::emit("from the call").await;
    });
    let done = block_on(call.recorded_by(&timbal).traced()).1;
    assert_eq!((done.root().unwrap().chunks, timbal.health().subscribers_cut_off), (2, 0));
}

#[test]
fn a_line_of_calls_may_be_long_where_each_outlives_the_one_above() {
    #[runnable(skip_output)]
    fn link() -> Option<Current> {
        current()
    }

    let timbal = Timbal::builder().build();
    let root = timbal::call!("root", skip_output, async { link() }).recorded_by(&timbal);
    let mut last = block_on(root).unwrap();
    for _ in 0..100_000 {
        last = last.run(link).unwrap();
    }
    drop(last);
    block_on(timbal.flush()).unwrap();
    assert_eq!(timbal.health().written, 100_002);
}
