//! Spans to be put into stores.

use crate::{
    Batch, CallId, Definition, Filter, OutputEvent, Page, Payload, RunId, Span, StartEvent, Store,
    Timestamp, Trace,
};

/// When the first run starts: nanoseconds that are no whole milliseconds.
pub(super) const START: u64 = 1_640_995_200_000_000_007;

pub(super) fn run_id(number: u64) -> RunId {
    RunId::from_u128(u128::from(START) << 64 | u128::from(number)).expect("it is not zero")
}

pub(super) fn call_id(number: u64) -> CallId {
    CallId::from_u64(number).expect("calls are counted from 1")
}

pub(super) fn time(nanos: u64) -> Timestamp {
    Timestamp::from_nanos(START + nanos)
}

/// Call 1 of a run, which no call made and which took 100 ns, a second after the run before.
pub(super) fn root(run: u64, path: &str) -> Span {
    let start = StartEvent::new(run_id(run), call_id(1), path);
    let mut done = OutputEvent::new(start, time(run * 1_000_000_000));
    done.t1 = Timestamp::from_nanos(done.t0.as_nanos() + 100);
    Span::new(done, Definition::new(path.to_owned()))
}

/// A call that another made, some nanoseconds after it.
pub(super) fn child(parent: &Span, call: u64, name: &str) -> Span {
    let mut span = parent.clone();
    span.path = format!("{}.{name}", parent.path);
    span.call_id = call_id(call);
    span.parent_call_id = Some(parent.call_id);
    span.t0 = Timestamp::from_nanos(parent.t0.as_nanos() + call);
    span.seq = parent.seq + call;
    span.definition = Definition::new(name.to_owned());
    span
}

pub(super) fn payload(json: &str) -> Payload {
    serde_json::from_str(json).expect("it is JSON")
}

pub(super) fn put(store: &dyn Store, spans: impl IntoIterator<Item = Span>) {
    store.put(&Batch::from_iter(spans)).expect("the store keeps what it is given");
}

pub(super) fn trace(store: &dyn Store, run: u64) -> Option<Trace> {
    store.trace(run_id(run)).expect("the store can be read")
}

pub(super) fn page(store: &dyn Store, filter: &Filter) -> Page {
    store.runs(filter).expect("the store finds runs")
}

/// The numbers of the runs that a filter asks for.
pub(super) fn found(store: &dyn Store, filter: &Filter) -> Vec<u64> {
    numbers(&page(store, filter))
}

pub(super) fn numbers(page: &Page) -> Vec<u64> {
    page.runs.iter().map(|run| run.run_id.as_u128() as u64).collect()
}
