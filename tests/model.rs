//! Made-up workflows, and what a model says that becomes of them: the recorded trace says the same.

use std::sync::LazyLock;

use futures::executor::block_on;
use proptest::prelude::*;
use timbal::{StatusCode, Timbal, Trace};
use timbal_tests::plans::{End, Plan, Step, call};
use timbal_tests::read_all;
use timbal_tests::rules::{broken_by_events, broken_by_trace};
use tokio::sync::mpsc;

/// A call, as the model and the trace tell it.
#[derive(Debug, Clone, PartialEq)]
struct Told {
    id: u32,
    depth: usize,
    end: &'static str,
    polls: u64,
    chunks: u64,
    /// With all calls below it.
    calls: u64,
    units: u64,
}

/// All calls so far in the order of their starts, each with the place of the call that made it.
#[derive(Default)]
struct Calls(Vec<(Option<usize>, Told)>);

/// A call as it goes: what a poll of it would do, without anything that polls.
struct Running {
    plan: Plan,
    /// Where it is told; it is not before its first poll.
    place: Option<usize>,
    above: Option<usize>,
    /// How many of its steps are done.
    done: usize,
    is_paused: bool,
    /// What the step makes that it is at, until it has ended.
    below: Vec<Option<Running>>,
}

/// What a call calls below it, and polls now.
enum Polled {
    Pending,
    All,
    /// One of them failed, or panicked.
    Ended(End),
}

impl Running {
    fn new(plan: &Plan, above: Option<usize>) -> Self {
        let plan = plan.clone();
        Self { plan, place: None, above, done: 0, is_paused: false, below: Vec::new() }
    }

    /// How it has ended; `None` if it is pending.
    fn poll(&mut self, calls: &mut Calls) -> Option<End> {
        let place = *self.place.get_or_insert_with(|| calls.start(self.plan.id, self.above));
        calls.0[place].1.polls += 1;
        while let Some(step) = self.plan.steps.get(self.done).cloned() {
            match self.step(&step, calls) {
                Polled::Pending => return None,
                Polled::Ended(end) => return Some(self.end(end, calls)),
                Polled::All => self.done += 1,
            }
        }
        Some(self.end(self.plan.end, calls))
    }

    fn step(&mut self, step: &Step, calls: &mut Calls) -> Polled {
        let place = self.place.expect("it is polled");
        match step {
            Step::Chunk => calls.0[place].1.chunks += 1,
            Step::Use(units) => calls.0[place].1.units += units,
            Step::Pause => {
                self.is_paused = !self.is_paused;
                return if self.is_paused { Polled::Pending } else { Polled::All };
            }
            Step::Call(plan) | Step::Try(plan) => {
                let polled = self.poll_below(&[plan], calls);
                let is_tried = matches!(step, Step::Try(_));
                return match polled {
                    Polled::Ended(End::Fail) if !is_tried => Polled::All,
                    polled => polled,
                };
            }
            Step::Join(plans) => {
                return match self.poll_below(&plans.iter().collect::<Vec<_>>(), calls) {
                    Polled::Ended(End::Fail) => Polled::All,
                    polled => polled,
                };
            }
            Step::Drop(plan, polls) => {
                for _ in 0..*polls {
                    match self.poll_below(&[plan], calls) {
                        Polled::Pending => {}
                        Polled::Ended(End::Panic) => return Polled::Ended(End::Panic),
                        Polled::All | Polled::Ended(_) => break,
                    }
                }
                self.drop_below(calls);
            }
            other => unreachable!("{other:?} is not in the model's language"),
        }
        Polled::All
    }

    /// Polls all calls of a step that have not ended. A panic does not wait for the others; an error
    /// is told when all have ended.
    fn poll_below(&mut self, plans: &[&Plan], calls: &mut Calls) -> Polled {
        if self.below.is_empty() {
            let start = |plan: &&Plan| Some(Running::new(plan, self.place));
            self.below = plans.iter().map(start).collect();
        }
        let mut failed = Polled::All;
        for below in &mut self.below {
            match below.as_mut().map(|below| below.poll(calls)) {
                Some(Some(End::Panic)) => return Polled::Ended(End::Panic),
                Some(Some(end)) => {
                    *below = None;
                    if end == End::Fail {
                        failed = Polled::Ended(End::Fail);
                    }
                }
                Some(None) | None => {}
            }
        }
        if self.below.iter().any(Option::is_some) {
            return Polled::Pending;
        }
        self.below.clear();
        failed
    }

    fn end(&mut self, end: End, calls: &mut Calls) -> End {
        self.drop_below(calls);
        calls.0[self.place.expect("it is polled")].1.end = match end {
            End::Return => "success",
            End::Fail => "error",
            End::Panic => "panic",
        };
        end
    }

    fn drop_below(&mut self, calls: &mut Calls) {
        for mut below in std::mem::take(&mut self.below).into_iter().flatten() {
            below.drop_below(calls);
            if let Some(told) = below.place.map(|place| &mut calls.0[place].1)
                && told.end == "open"
            {
                told.end = "cancelled";
            }
        }
    }
}

impl Calls {
    fn start(&mut self, id: u32, above: Option<usize>) -> usize {
        let depth = above.map_or(0, |above| self.0[above].1.depth + 1);
        let told = Told { id, depth, end: "open", polls: 0, chunks: 0, calls: 0, units: 0 };
        self.0.push((above, told));
        self.0.len() - 1
    }

    /// Adds up what is below each call: what is below has started later.
    fn add_up(&mut self) {
        for place in (0..self.0.len()).rev() {
            let (above, told) = self.0[place].clone();
            if let Some((_, above)) = above.map(|above| &mut self.0[above]) {
                above.calls += 1 + told.calls;
                above.units += told.units;
            }
        }
    }

    /// A call and those below it, in the order of the tree.
    fn tree(&self, place: usize) -> Vec<Told> {
        let below = (0..self.0.len()).filter(|below| self.0[*below].0 == Some(place));
        let below = below.flat_map(|below| self.tree(below));
        std::iter::once(self.0[place].1.clone()).chain(below).collect()
    }
}

/// What the model says of this plan, in the order of the tree.
fn foretold(plan: &Plan) -> Vec<Told> {
    let (mut root, mut calls) = (Running::new(plan, None), Calls::default());
    while root.poll(&mut calls).is_none() {}
    calls.add_up();
    calls.tree(0)
}

/// What the trace says, in the order of its tree.
fn recorded(trace: &Trace) -> Vec<Told> {
    let tell = |span: &timbal::Span| Told {
        id: span.input.to_value()["id"].as_u64().unwrap() as u32,
        depth: span.path.matches('.').count(),
        end: match (span.status.code, &span.error) {
            (StatusCode::Success, None) if span.output == span.input.to_value()["id"] => "success",
            (StatusCode::Error, Some(error)) if error.type_name() == "panic" => "panic",
            (StatusCode::Error, Some(_)) => "error",
            (StatusCode::Cancelled, None) => "cancelled",
            _ => "otherwise",
        },
        polls: span.polls,
        chunks: span.chunks,
        calls: span.calls,
        units: span.usage.get("units").copied().unwrap_or(0),
    };
    let mut told = Vec::new();
    let mut open = vec![trace.root().unwrap()];
    while let Some(span) = open.pop() {
        told.push(tell(span));
        open.extend(trace.children(span.call_id).rev());
    }
    told
}

fn plans() -> impl Strategy<Value = Plan> {
    let end = prop_oneof![6 => Just(End::Return), 2 => Just(End::Fail), 1 => Just(End::Panic)];
    let plan = move |step: BoxedStrategy<Step>, most: usize| {
        let steps = prop::collection::vec(step, 1..most);
        (steps, end.clone()).prop_map(|(steps, end)| Plan { id: 0, steps, end })
    };
    let simple =
        prop_oneof![Just(Step::Chunk), (0..100_u64).prop_map(Step::Use), Just(Step::Pause)];
    let (simple, plan_of) = (simple.boxed(), plan.clone());
    let inner = plan(simple.clone(), 4).prop_recursive(4, 60, 3, move |below| {
        let step = prop_oneof![
            3 => simple.clone(),
            1 => below.clone().prop_map(Step::Call),
            1 => below.clone().prop_map(Step::Try),
            1 => prop::collection::vec(below.clone(), 1..4).prop_map(Step::Join),
            1 => (below, 0..4_u32).prop_map(|(plan, polls)| Step::Drop(plan, polls)),
        ];
        plan_of(step.boxed(), 5).boxed()
    });
    inner.prop_map(|mut plan| {
        number(&mut plan, &mut 0);
        plan
    })
}

/// Gives each plan an id of its own.
fn number(plan: &mut Plan, last: &mut u32) {
    *last += 1;
    plan.id = *last;
    for step in &mut plan.steps {
        match step {
            Step::Call(plan) | Step::Try(plan) | Step::Drop(plan, _) => number(plan, last),
            Step::Join(plans) => plans.iter_mut().for_each(|plan| number(plan, last)),
            _ => {}
        }
    }
}

static TIMBAL: LazyLock<Timbal> = LazyLock::new(|| Timbal::builder().build());

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_trace_is_what_the_model_says(plan in plans()) {
        let (alive, _) = mpsc::channel(1);
        let events = block_on(read_all(call(&plan, &alive).recorded_by(&TIMBAL).events()));
        prop_assert_eq!(broken_by_events(&events, |_| false), [""; 0]);
        let trace = block_on(TIMBAL.trace(events[0].run_id())).unwrap().unwrap();
        prop_assert_eq!(broken_by_trace(&trace, &events, |_| false), [""; 0]);
        prop_assert_eq!(recorded(&trace), foretold(&plan), "{}", trace);
    }
}

/// The model is not only ever asked what is easy.
#[test]
fn the_language_says_much() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;

    let mut runner = TestRunner::deterministic();
    let told: Vec<Told> = (0..300)
        .flat_map(|_| foretold(&plans().new_tree(&mut runner).unwrap().current()))
        .collect();
    for end in ["success", "error", "panic", "cancelled"] {
        assert!(told.iter().filter(|told| told.end == end).count() > 20, "{end}");
    }
    let most = |of: fn(&Told) -> u64| told.iter().map(of).max().unwrap();
    let (calls, polls, depth) = (most(|t| t.calls), most(|t| t.polls), most(|t| t.depth as u64));
    assert!(calls > 10 && polls > 5 && depth >= 3, "{calls} calls, {polls} polls, {depth} deep");
}
