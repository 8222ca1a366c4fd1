//! Calls are counted by path and time.

use std::collections::BTreeMap;
use std::time::Duration;

use super::sample::{child, payload, put, root, time};
use crate::{PathStats, Span, Stats, StatsQuery, Status, StatusCode, Store, Timestamp};

fn stats(store: &dyn Store, query: &StatsQuery) -> Stats {
    store.stats(query).expect("the store counts calls")
}

/// Roots of a path, one for each of these numbers.
fn calls(path: &str, numbers: impl IntoIterator<Item = u64>) -> Vec<Span> {
    let call = |number| {
        let mut span = root(number, path);
        (span.elapsed_ns, span.busy_ns) = (number * 10, number);
        span
    };
    numbers.into_iter().map(call).collect()
}

/// By nearest rank: each is the time of a call.
pub fn percentiles_are_of_calls(store: &dyn Store) {
    let mut spans = calls("a", (1..=200).rev());
    spans[0].status = StatusCode::Error.into();
    spans[1].status = StatusCode::Timeout.into();
    spans[2].status = StatusCode::Cancelled.into();
    put(store, spans);
    put(store, calls("b", [1_000]));
    let mut open = calls("b", [2_000, 3_000]);
    open[0].status = Status::running();
    open[1].status = Status::interrupted();
    put(store, open);
    let stats = stats(store, &StatsQuery::new());
    let [a, b] = &stats.paths[..] else { panic!("two paths: {stats:?}") };
    assert_eq!((a.path.as_str(), a.bucket, a.count, a.errors), ("a", None, 200, 2));
    assert_eq!((a.elapsed.p50_ns, a.elapsed.p95_ns, a.elapsed.p99_ns), (1_000, 1_900, 1_980));
    assert_eq!((a.busy.p50_ns, a.busy.p95_ns, a.busy.p99_ns), (100, 190, 198));
    assert_eq!((b.path.as_str(), b.count, b.errors, b.busy.p50_ns), ("b", 1, 0, 1_000));
    assert_eq!((a.unfinished, b.unfinished), (0, 2));
    assert_eq!((a.error_rate(), b.error_rate()), (0.01, 0.0));
}

/// By the start of each call, the end of the range left out; and by path.
pub fn stats_are_of_the_time_asked_for(store: &dyn Store) {
    let spans = calls("a", 1..=5);
    let below = child(&spans[4], 2, "b");
    put(store, spans.iter().cloned().chain([below]));
    let count = |query: StatsQuery| -> Vec<(String, u64)> {
        let paths = stats(store, &query).paths.into_iter();
        paths.map(|PathStats { path, count, .. }| (path, count)).collect()
    };
    let all = StatsQuery::new;
    let ranged = all().since(spans[1].t0).until(spans[3].t0);
    assert_eq!(count(ranged.clone()), [("a".into(), 2)]);
    assert_eq!(count(ranged.path("a.b")), []);
    assert_eq!(count(all().since(spans[4].t0)), [("a".into(), 1), ("a.b".into(), 1)]);
    assert_eq!(
        count(all().path("a.b").until(Timestamp::from_nanos(u64::MAX))),
        [("a.b".into(), 1)]
    );
    assert_eq!(count(all().path("A")), []);
    assert_eq!(count(all().path("unknown")), []);
}

/// Buckets begin at multiples of their width since the Unix epoch. Empty ones are left out.
pub fn times_are_counted_in_buckets(store: &dyn Store) {
    put(store, calls("a", [1, 2, 3, 9, 10, 25]));
    let query = StatsQuery::new().bucket(Duration::from_secs(5));
    let counted: Vec<_> = stats(store, &query).paths.iter().map(bucket).collect();
    assert_eq!(counted, [(0, 3), (5, 1), (10, 1), (25, 1)]);
    let none = StatsQuery::new().bucket(Duration::ZERO);
    assert_eq!(stats(store, &none), stats(store, &StatsQuery::new()));
}

/// Seconds since the first bucket, and the count.
fn bucket(stats: &PathStats) -> (u64, u64) {
    let since = stats.bucket.unwrap()
        - Timestamp::from_nanos(time(0).as_nanos() / 1_000_000_000 * 1_000_000_000);
    (since.as_secs(), stats.count)
}

/// What was used is summed, of the calls themselves and with those below them.
pub fn usage_is_summed_with_and_without_calls_below(store: &dyn Store) {
    let mut spans = calls("a", 1..=3);
    for (n, span) in (1..).zip(&mut spans) {
        span.usage = BTreeMap::from([("tokens".into(), 10 * n), ("words".into(), 1)]);
        span.usage_own = BTreeMap::from([("tokens".into(), n)]);
    }
    spans[2].usage_own.insert("most".into(), u64::MAX);
    spans[0].usage_own.insert("most".into(), u64::MAX);
    put(store, spans);
    let stats = stats(store, &StatsQuery::new().path("a"));
    let usage = [("tokens".to_owned(), 60), ("words".to_owned(), 3)];
    assert_eq!(stats.paths[0].usage, BTreeMap::from(usage));
    let own = [("most".to_owned(), u64::MAX), ("tokens".to_owned(), 6)];
    assert_eq!(
        stats.paths[0].usage_own,
        BTreeMap::from(own),
        "a sum that is too large is the most"
    );
}

/// Each path once, in order.
pub fn every_path_is_named_once(store: &dyn Store) {
    let first = root(1, "b");
    let mut second = child(&first, 2, "c");
    second.input = payload("{}");
    put(store, [second, first, root(2, "b"), root(3, "a"), root(4, "B")]);
    assert_eq!(store.paths().unwrap(), ["B", "a", "b", "b.c"]);
}
