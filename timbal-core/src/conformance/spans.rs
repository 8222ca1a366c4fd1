//! Spans come back as they were put.

use std::collections::BTreeMap;

use serde_json::json;

use super::sample::{call_id, child, page, payload, put, root, run_id, trace};
use crate::{
    CallError, Definition, Filter, Process, Prune, Pruned, Span, Stats, StatsQuery, Status,
    StatusCode, Store, Timestamp,
};

/// Asked before anything was put, a store has nothing, and says so.
pub fn an_empty_store_has_nothing(store: &dyn Store) {
    assert_eq!(trace(store, 1), None);
    let found = page(store, &Filter::new());
    assert!(found.runs.is_empty() && found.next.is_none() && found.stopped_at.is_none());
    assert_eq!(store.stats(&StatsQuery::new()).unwrap(), Stats::default());
    assert_eq!(store.paths().unwrap(), [""; 0]);
    assert_eq!(store.prune(&Prune::new().max_bytes(u64::MAX)).unwrap(), Pruned::default());
    put(store, []);
    assert_eq!(trace(store, 1), None);
}

/// Every field of a span comes back, to the nanosecond and to the last bit.
pub fn spans_come_back_as_they_were(store: &dyn Store) {
    let mut first = root(1, "full");
    first.parent_run_id = Some(run_id(9));
    first.input = payload(r#"{"n":18446744073709551615,"x":1e400,"s":"a\u0000b"}"#);
    first.output = payload(r#"{ "spaced" : [ 1 , 2 ] }"#);
    let timed_out = StatusCode::Timeout.into();
    first.status = Status { reason: Some("r".into()), message: Some("m".into()), ..timed_out };
    let source = std::io::Error::other("below");
    first.error = Some(CallError::from_error("std::io::Error", &std::io::Error::other(source)));
    first.usage = BTreeMap::from([("most".into(), u64::MAX), ("".into(), 0)]);
    first.usage_own = BTreeMap::from([("own".into(), 3)]);
    first.metadata = BTreeMap::from([("deep".into(), deep(120)), ("n".into(), json!(null))]);
    (first.seq, first.elapsed_ns, first.busy_ns) = (5, u64::MAX, u64::MAX - 1);
    (first.polls, first.calls, first.chunks) = (1 << 40, 1 << 41, 1 << 42);
    first.first_chunk_ns = Some(0);
    first.allocated_bytes = Some(u64::MAX);
    first.definition = defined_in("src/é.rs");
    first.process = process("other", u32::MAX);
    first.schema = 2;

    let mut second = child(&first, u64::MAX / 2 + 9, "b");
    (second.first_chunk_ns, second.error, second.parent_run_id) = (None, None, None);
    second.status = Status::success();
    (second.t0, second.t1) = (Timestamp::from_nanos(u64::MAX), Timestamp::from_nanos(u64::MAX));

    put(store, [second.clone(), first.clone()]);
    let kept = trace(store, 1).unwrap();
    let kept_of = |span: &Span| kept.spans.iter().find(|kept| kept.call_id == span.call_id);
    assert_eq!(kept_of(&first), Some(&first));
    assert_eq!(kept_of(&second), Some(&second));
}

fn defined_in(file: &'static str) -> Definition {
    Definition {
        module_path: "my::module".into(),
        file: file.into(),
        line: 41,
        column: 28,
        crate_version: Some("1.2.3".into()),
        ..Definition::new("full")
    }
}

fn process(program: &str, pid: u32) -> Process {
    Process { program: program.to_owned(), pid, since: Timestamp::from_millis(1_640_995_200_001) }
}

fn deep(levels: usize) -> serde_json::Value {
    (0..levels).fold(json!("core"), |inner, _| json!([inner]))
}

/// NUL, line ends, emoji, lone surrogates as JSON escapes, and quotes, in payloads and in names.
pub fn strange_texts_come_back_as_they_were(store: &dyn Store) {
    let texts = ["a\0b", "\u{1f980}\u{feff}", "'; DROP TABLE spans; --", "%_\\\"", "\r\n", ""];
    let spans: Vec<Span> = (1..).zip(texts).map(|(run, text)| named(run, text)).collect();
    put(store, spans.iter().cloned());
    for (run, span) in (1..).zip(spans) {
        assert_eq!(trace(store, run).map(|trace| trace.spans), Some(vec![span]));
    }
    let mut paths = texts;
    paths.sort_unstable();
    assert_eq!(store.paths().unwrap(), paths);
}

fn named(run: u64, text: &str) -> Span {
    let mut span = root(run, text);
    span.input = payload(r#"{"a":"\ud800","b":"\udc00x","c":"\u0000","d":"🦀"}"#);
    span.output = payload(r#""\ud83e\udd80""#);
    span.error = Some(CallError::new(text, text));
    span.status = Status { message: Some(text.to_owned()), ..StatusCode::Error.into() };
    span.metadata.insert(text.to_owned(), text.into());
    span.usage.insert(text.to_owned(), 1);
    span
}

/// The key of a span is its run and its call: the last one that was put counts.
pub fn a_span_put_again_is_replaced(store: &dyn Store) {
    let (mut first, second) = (root(1, "a"), root(2, "b"));
    put(store, [first.clone(), second]);
    first.output = payload(r#""a longer output than the one that was there""#);
    first.status = StatusCode::Error.into();
    first.error = Some(CallError::new("T", "m"));
    first.usage.insert("tokens".into(), 3);
    first.usage_own.insert("tokens".into(), 3);
    (first.elapsed_ns, first.busy_ns) = (7, 5);
    put(store, [first.clone()]);

    assert_eq!(trace(store, 1).unwrap().spans, [first.clone()]);
    let runs = page(store, &Filter::new()).runs;
    assert_eq!((runs[1].spans, &runs[1].usage), (1, &first.usage));
    assert_eq!(runs[1].status, first.status);
    let stats = store.stats(&StatsQuery::new().path("a")).unwrap();
    let [counted] = &stats.paths[..] else { panic!("one path: {stats:?}") };
    assert_eq!((counted.count, counted.errors, counted.elapsed.p50_ns), (1, 1, 7));

    first.error = None; // also twice in one batch
    let mut last = first.clone();
    last.output = payload("3");
    put(store, [first, last.clone()]);
    assert_eq!(trace(store, 1).unwrap().spans, [last]);
}

/// A call id names a call within its run only.
pub fn the_same_call_id_in_two_runs_is_two_calls(store: &dyn Store) {
    let (first, second) = (root(1, "a"), root(2, "a"));
    assert_eq!(first.call_id, second.call_id);
    put(store, [first.clone(), second.clone()]);
    assert_eq!(trace(store, 1).unwrap().spans, [first]);
    assert_eq!(trace(store, 2).unwrap().spans, [second]);
}

/// In whatever order spans are put, they come in the order of their starts.
pub fn spans_come_in_the_order_of_their_starts(store: &dyn Store) {
    let first = root(1, "a");
    let mut spans: Vec<_> = (2..20).map(|call| child(&first, call, "b")).collect();
    spans[3].t0 = spans[2].t0; // then their numbers decide
    put(store, spans[5..].iter().rev().cloned());
    put(store, [first.clone()]);
    put(store, spans[..5].iter().rev().cloned());
    spans.insert(0, first);
    assert_eq!(trace(store, 1).unwrap().spans, spans);
}

/// Thousands of spans, of as many runs and of one.
pub fn a_batch_may_be_large(store: &dyn Store) {
    let first = root(1, "a");
    let children = (2..=5_000).map(|call| child(&first, call, "b"));
    let roots = (2..=5_000).map(|run| root(run, "c"));
    put(store, children.chain(roots).chain([first.clone()]));
    assert_eq!(trace(store, 1).unwrap().spans.len(), 5_000);
    let filter = Filter::new().limit(6_000);
    let runs = page(store, &filter).runs;
    assert_eq!((runs.len(), runs[4_999].spans), (5_000, 5_000));
}

/// Payloads of many MiB come back whole.
pub fn a_payload_may_be_large(store: &dyn Store) {
    let mut span = root(1, "a");
    span.input = payload(&format!("\"{}\"", "🦀é\\u0000".repeat(500_000)));
    span.output = payload(&format!("[{}1]", "1,".repeat(1 << 20)));
    put(store, [span.clone()]);
    let kept = trace(store, 1).unwrap();
    assert!(kept.spans == [span], "a large payload came back otherwise");
}

/// Threads that put at the same time do not lose each other's spans, and others may read.
pub fn many_may_put_at_once(store: &dyn Store) {
    std::thread::scope(|scope| {
        for thread in 0..4 {
            scope.spawn(move || {
                for n in 0..25 {
                    let first = root(1 + thread * 25 + n, "a");
                    let second = child(&first, 2, "b");
                    put(store, [second, first.clone()]);
                    let kept = store.trace(first.run_id).unwrap().unwrap();
                    assert_eq!(kept.spans.len(), 2);
                    assert_eq!(kept.root().unwrap().call_id, call_id(1));
                }
            });
        }
    });
    assert_eq!(page(store, &Filter::new()).runs.len(), 100);
}
