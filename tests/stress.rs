//! Ten thousand runs that are made up, on many threads, and what must hold of each of them.
//!
//! `TIMBAL_SEED` makes the same runs again, and `TIMBAL_RUNS` says how many; which thread does what
//! and when is as it comes.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex};

use futures::{FutureExt, StreamExt, stream};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use timbal::{Event, MemoryStore, RunId, Span, Subscriber, Timbal, Trace};
use timbal_tests::plans::{End, Plan, Step, call, is_task};
use timbal_tests::rules::{broken_by_events, broken_by_trace};
use tokio::sync::mpsc;

/// The events of runs that are not over, by run.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<HashMap<RunId, Vec<Event>>>>);

impl Subscriber for Heard {
    fn on_event(&self, event: &Event) {
        self.0.lock().unwrap().entry(event.run_id()).or_default().push(event.clone());
    }
}

/// A number from the environment, or another.
fn number(variable: &str, otherwise: u64) -> u64 {
    let value = std::env::var(variable).ok();
    value.map_or(otherwise, |value| value.parse().expect("a number"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ten_thousand_runs_keep_the_rules() {
    let seed = number("TIMBAL_SEED", RandomState::new().hash_one("seed"));
    let runs = number("TIMBAL_RUNS", 10_000);
    println!("TIMBAL_SEED={seed}");
    let heard = Heard::default();
    let store = MemoryStore::new().with_max_spans(usize::MAX).with_max_bytes(usize::MAX);
    let timbal = Timbal::builder().store(store).subscriber(heard.clone()).build();

    let checks = stream::iter(0..runs).map(|run| {
        let (timbal, heard) = (timbal.clone(), heard.clone());
        tokio::spawn(async move { check_run(seed.wrapping_add(run), &timbal, &heard).await })
    });
    let checked: Vec<_> = checks.buffer_unordered(64).map(Result::unwrap).collect().await;
    let broken: Vec<_> = checked.iter().flat_map(|(broken, _)| broken).take(20).collect();
    assert!(broken.is_empty(), "TIMBAL_SEED={seed}: {broken:#?}");

    let health = timbal.health();
    let calls: u64 = checked.iter().map(|(_, calls)| calls).sum();
    assert_eq!((health.lost, health.written, health.queued), (0, calls, 0), "{health:?}");
    assert!(calls > runs * 4, "{calls}"); // the runs are no trivial ones
}

/// Makes up a run and runs it: what is wrong with it, and how many calls it made.
async fn check_run(seed: u64, timbal: &Timbal, heard: &Heard) -> (Vec<String>, u64) {
    let plan = plan(&mut StdRng::seed_from_u64(seed), 3, &mut 0);
    let (alive, mut is_over) = mpsc::channel(1);
    let name = format!("run {seed}");
    let id = Arc::new(Mutex::new(None));
    let root = timbal::call!(name, skip_output, {
        let (id, plan) = (Arc::clone(&id), plan.clone());
        async move {
            *id.lock().unwrap() = timbal::current().map(|current| current.run_id());
            drop(call(&plan, &alive).await);
        }
    });
    // However it ends: in the trace it says so.
    let _however = AssertUnwindSafe(root.recorded_by(timbal)).catch_unwind().await;
    assert_eq!(is_over.recv().await, None); // the tasks that it left behind have ended
    let run_id = id.lock().unwrap().expect("it has started");
    let events = heard.0.lock().unwrap().remove(&run_id).unwrap();
    let trace = timbal.trace(run_id).await.unwrap().unwrap();

    let outlives = |path: &str| is_task(path);
    let mut broken = broken_by_events(&events, |event| outlives(event.path()));
    broken.extend(broken_by_trace(&trace, &events, |span: &Span| outlives(&span.path)));
    let explain = |broken| format!("seed {seed}: {broken}\n{trace}\n{plan:?}");
    (broken.into_iter().map(explain).collect(), trace.spans.len() as u64)
}

/// A plan for a call that may make calls so deep.
fn plan(random: &mut StdRng, depth: u32, last_id: &mut u32) -> Plan {
    *last_id += 1;
    let id = *last_id;
    let steps = (0..random.random_range(0..4)).map(|_| step(random, depth, last_id)).collect();
    let end = match random.random_range(0..10) {
        0 => End::Panic,
        1 | 2 => End::Fail,
        _ => End::Return,
    };
    Plan { id, steps, end }
}

fn step(random: &mut StdRng, depth: u32, last_id: &mut u32) -> Step {
    let kinds = if depth == 0 { 5 } else { 14 };
    let kind = random.random_range(0..kinds);
    let mut one = |random: &mut StdRng| plan(random, depth.saturating_sub(1), last_id);
    match kind {
        0 => Step::Chunk,
        1 => Step::Use(random.random_range(0..1_000)),
        2 => Step::Pause,
        3 => Step::Items(random.random_range(0..4), random.random_range(0..4)),
        4 => Step::Murmur(random.random_range(0..20)),
        5 => Step::Call(one(random)),
        6 => Step::Try(one(random)),
        7 => Step::Join((0..random.random_range(1..4)).map(|_| one(random)).collect()),
        8 => Step::Drop(one(random), random.random_range(0..4)),
        9 => Step::Race(one(random), one(random)),
        10 => Step::Timeout(one(random)),
        11 => Step::Spawn((0..random.random_range(1..4)).map(|_| one(random)).collect()),
        12 => Step::Abort(one(random)),
        _ => Step::Loose(one(random)),
    }
}

mod the_rules_can_be_broken {
    use futures::executor::block_on;
    use timbal::{CallId, StatusCode, Timestamp, runnable};

    use super::*;

    #[runnable]
    async fn leaf(n: u64) -> u64 {
        timbal::usage("leaves", 1);
        n
    }

    #[runnable]
    async fn sum() -> u64 {
        leaf(1).await + leaf(2).await
    }

    /// The events and the trace of a run to which nothing has happened.
    fn sound() -> (Vec<Event>, Trace) {
        let (timbal, heard) = (Timbal::builder(), Heard::default());
        let timbal = timbal.subscriber(heard.clone()).build();
        let run = block_on(sum().recorded_by(&timbal).collect()).run_id;
        let events = heard.0.lock().unwrap().remove(&run).unwrap();
        let trace = block_on(timbal.trace(run)).unwrap().unwrap();
        (events, trace)
    }

    fn by_events(break_one: impl FnOnce(&mut Vec<Event>)) -> String {
        let (mut events, _) = sound();
        break_one(&mut events);
        broken_by_events(&events, |_| false).join("; ")
    }

    fn by_trace(break_one: impl FnOnce(&mut Trace)) -> String {
        let (events, mut trace) = sound();
        break_one(&mut trace);
        broken_by_trace(&trace, &events, |_| false).join("; ")
    }

    #[test]
    fn a_sound_run_breaks_none() {
        assert_eq!((by_events(|_| ()).as_str(), by_trace(|_| ()).as_str()), ("", ""));
    }

    #[test]
    fn of_events() {
        // Start sum, Start leaf, Output leaf, Start leaf, Output leaf, Output sum.
        assert_eq!(by_events(|events| drop(events.pop())), "sum has no Output");
        assert_eq!(
            by_events(|events| drop(events.remove(1))),
            "sum.leaf says something before its Start"
        );
        assert_eq!(
            by_events(|events| events.push(events[5].clone())),
            "sum says something after its Output"
        );
        assert_eq!(
            by_events(|events| events.insert(2, events[1].clone())),
            "sum.leaf starts twice"
        );
        assert_eq!(by_events(|events| events.swap(4, 5)), "sum.leaf ends after its parent");
        let late = by_events(|events| events[3..].rotate_right(1));
        assert!(late.starts_with("sum.leaf starts after its parent has ended"), "{late}");
        let no_parent = by_events(|events| events.rotate_left(1));
        assert!(no_parent.starts_with("sum.leaf has a parent that has not started"), "{no_parent}");
        let path = |event: &mut Event| match event {
            Event::Start(start) => start.path = "leaf".to_owned(),
            _ => unreachable!("it is a Start"),
        };
        let misplaced = by_events(|events| path(&mut events[1]));
        assert_eq!(misplaced, "leaf is not below the path of its parent");
    }

    #[test]
    fn of_traces() {
        let said = by_trace(|trace| drop(trace.spans.pop()));
        assert!(said.contains("sum.leaf has no span"), "{said}");
        let said = by_trace(|trace| trace.spans[1].status.code = StatusCode::Cancelled);
        assert_eq!(said, "sum.leaf has a span that says otherwise");
        let said = by_trace(|trace| trace.spans[1].parent_call_id = CallId::from_u64(7));
        assert!(said.contains("sum.leaf has a parent that is not in the trace"), "{said}");
        let said = by_trace(|trace| trace.spans[2].t1 = Timestamp::from_millis(u64::MAX));
        assert!(said.contains("sum.leaf ends after its parent"), "{said}");
        let said = by_trace(|trace| trace.spans[1].seq = 0);
        assert_eq!(said, "sum.leaf starts before its parent");
        let said = by_trace(|trace| _ = trace.spans[1].usage_own.insert("leaves".into(), 2));
        assert!(
            said.contains(r#"sum.leaf used {"leaves": 1}, and its parts {"leaves": 2}"#),
            "{said}"
        );
        let said = by_trace(|trace| trace.spans[0].calls = 3);
        assert_eq!(said, "sum made 3 calls, and not 2");
        let said = by_trace(|trace| trace.spans.push(trace.spans[1].clone()));
        assert!(said.contains("4 spans of 3 calls, and 3 Outputs"), "{said}");
    }
}
