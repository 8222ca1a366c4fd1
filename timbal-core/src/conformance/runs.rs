//! Runs are found, listed and let go of.

use std::time::Duration;

use super::sample::{child, found, numbers, page, payload, put, root, run_id, time, trace};
use crate::{CallError, Filter, Prune, RunSummary, Status, StatusCode, Store};

/// A run is what its first call says, whenever that is put, and the number of its spans.
pub fn a_run_is_summed_up_by_its_first_call(store: &dyn Store) {
    let mut first = root(1, "a");
    first.usage.insert("tokens".into(), 5);
    first.status = Status::dropped();
    first.parent_run_id = Some(run_id(7));
    let (second, third) = (child(&first, 2, "b"), child(&first, 3, "c"));

    // Until that call is there, it is the one that started first.
    put(store, [third.clone()]);
    assert_eq!(page(store, &Filter::new()).runs, [RunSummary::new(&third, 1)]);
    put(store, [second.clone()]);
    assert_eq!(page(store, &Filter::new()).runs, [RunSummary::new(&second, 2)]);
    put(store, [first.clone()]);
    assert_eq!(page(store, &Filter::new()).runs, [RunSummary::new(&first, 3)]);
    // Clocks of two machines differ: the first call is the one that no call made.
    let mut early = child(&first, 4, "d");
    early.t0 = time(0);
    put(store, [early]);
    assert_eq!(page(store, &Filter::new()).runs, [RunSummary::new(&first, 4)]);
    assert_eq!(page(store, &Filter::new()).runs[0].elapsed(), first.elapsed());
}

/// By the start of their first calls, then by their ids.
pub fn runs_come_newest_first(store: &dyn Store) {
    let mut spans: Vec<_> = [3, 1, 4, 2].map(|run| root(run, "a")).into();
    let mut same = root(5, "a");
    same.t0 = spans[0].t0; // of run 3
    spans.push(same);
    put(store, spans);
    assert_eq!(found(store, &Filter::new()), [4, 5, 3, 2, 1]);
}

/// From cursor to cursor every run comes once, also where many started at once and others come in.
pub fn pages_have_each_run_once(store: &dyn Store) {
    let mut spans: Vec<_> = (1..=25).map(|run| root(run, "a")).collect();
    spans[5..20].iter_mut().for_each(|span| span.t0 = time(0));
    put(store, spans);
    let mut filter = Filter::new().limit(4);
    let mut seen = Vec::new();
    loop {
        let page = page(store, &filter);
        assert!(page.runs.len() <= 4 && page.stopped_at.is_none());
        seen.extend(numbers(&page));
        let Some(next) = page.next else { break };
        assert_eq!(next, page.runs[3].cursor(), "a page with a next one is full");
        filter = filter.after(next.to_string().parse().unwrap());
        put(store, [root(100 + seen.len() as u64, "new")]);
    }
    let (newer, same) = ((21..=25).rev().chain((1..=5).rev()), (6..=20).rev());
    assert_eq!(seen, newer.chain(same).collect::<Vec<u64>>());
    assert_eq!(found(store, &Filter::new().limit(0)).len(), 1);
}

/// Each condition alone, and several at once.
pub fn runs_are_filtered(store: &dyn Store) {
    let mut spans: Vec<_> = (1..=4).map(|run| root(run, "a")).collect();
    spans[1].path = "b".into();
    spans[1].status = StatusCode::Error.into();
    spans[2].parent_run_id = Some(run_id(1));
    spans[2].usage.insert("tokens".into(), u64::MAX);
    spans[3].usage.insert("tokens".into(), 10);
    spans[3].status = StatusCode::Error.into();
    let mut below = child(&spans[0], 2, "b");
    below.status = StatusCode::Error.into();
    below.usage.insert("tokens".into(), 1_000);
    put(store, spans.iter().cloned().chain([below]));
    let mut open = [root(5, "c"), root(6, "c")];
    open[0].status = Status::running();
    open[1].status = Status::interrupted();
    put(store, open);

    let all = Filter::new;
    assert_eq!(found(store, &all().status(StatusCode::Running)), [5]);
    assert_eq!(found(store, &all().status(StatusCode::Interrupted)), [6]);
    let all = || Filter::new().until(time(5_000_000_000));
    assert_eq!(found(store, &all().path("b")), [2]);
    assert_eq!(found(store, &all().path("a.b")), [0; 0], "it is the path of the first call");
    assert_eq!(found(store, &all().path("A")), [0; 0]);
    assert_eq!(found(store, &all().status(StatusCode::Error)), [4, 2]);
    assert_eq!(found(store, &all().status(StatusCode::Timeout)), [0; 0]);
    assert_eq!(found(store, &all().since(spans[1].t0)), [4, 3, 2]);
    assert_eq!(found(store, &all().until(spans[1].t0)), [1]);
    assert_eq!(found(store, &all().since(spans[1].t0).until(spans[3].t0)), [3, 2]);
    assert_eq!(found(store, &all().since(spans[3].t0).until(spans[1].t0)), [0; 0]);
    assert_eq!(found(store, &all().parent_run(run_id(1))), [3]);
    assert_eq!(found(store, &all().usage("tokens", 11)), [3]);
    assert_eq!(found(store, &all().usage("tokens", 10).usage("words", 0)), [4, 3]);
    assert_eq!(found(store, &all().usage("tokens", 10).usage("words", 1)), [0; 0]);
    assert_eq!(found(store, &all().path("a").status(StatusCode::Error)), [4]);
    assert_eq!(found(store, &all().path("a").parent_run(run_id(1)).since(time(0))), [3]);
}

/// In inputs, outputs and errors of any call; with the other conditions, and page by page.
pub fn texts_are_found(store: &dyn Store) {
    let mut spans: Vec<_> = (1..=5).map(|run| root(run, "a")).collect();
    spans[0].input = payload(r#"{"name":"Alice says \"hi\" to Zoë 🦀"}"#);
    spans[1].output = payload(r#"["ALICE"]"#);
    spans[2].error = Some(CallError::new("std::io::Error", "no such file: \"alice\""));
    let mut below = child(&spans[3], 2, "b");
    below.input = payload(r#"{"deep":"alice"}"#);
    spans[4].metadata.insert("alice".into(), "is not looked for here".into());
    put(store, spans.iter().cloned().chain([below]));

    let all = Filter::new;
    assert_eq!(found(store, &all().text("alice")), [4, 3, 2, 1]);
    assert_eq!(found(store, &all().text(r#""name":"Al"#)), [1]);
    assert_eq!(found(store, &all().text(r#"says "hi""#)), [1]);
    assert_eq!(found(store, &all().text("zoë 🦀")), [1]);
    assert_eq!(found(store, &all().text(r#"file: "alice""#)), [3]);
    assert_eq!(found(store, &all().text("io::error")), [3]);
    assert_eq!(found(store, &all().text("%lice")), [0; 0]);
    assert_eq!(found(store, &all().text("traceback")), [0; 0], "the form of an error is no text");
    assert_eq!(found(store, &all().text("")), [5, 4, 3, 2, 1]);
    assert_eq!(found(store, &all().text("alice").until(spans[2].t0)), [2, 1]);
    let first = page(store, &all().text("alice").limit(2));
    assert_eq!(numbers(&first), [4, 3]);
    assert_eq!(found(store, &all().text("alice").after(first.next.unwrap())), [2, 1]);
}

/// A search whose time is over says where it stopped, and goes on there.
pub fn a_page_ends_where_its_time_does(store: &dyn Store) {
    let mut spans: Vec<_> = (1..=3).map(|run| root(run, "a")).collect();
    spans[0].output = payload(r#""needle""#);
    put(store, spans.iter().cloned());
    let mut filter = Filter::new().text("needle").within(Duration::ZERO);
    for run in [3, 2] {
        let page = page(store, &filter);
        assert_eq!((numbers(&page), page.stopped_at), (vec![], Some(spans[run - 1].t0)));
        filter = filter.after(page.next.unwrap());
    }
    let last = page(store, &filter);
    assert_eq!((numbers(&last), last.next, last.stopped_at), (vec![1], None, None));
}

/// Runs that started before a time go with all their spans, and no others.
pub fn too_old_runs_go(store: &dyn Store) {
    let spans: Vec<_> = (1..=4).map(|run| root(run, "a")).collect();
    let below = child(&spans[0], 2, "b");
    put(store, spans.iter().cloned().chain([below]));
    let pruned = store.prune(&Prune::new().before(spans[2].t0)).unwrap();
    assert_eq!((pruned.runs, pruned.spans), (2, 3));
    assert_eq!(found(store, &Filter::new()), [4, 3]);
    assert_eq!(trace(store, 1), None);
    assert_eq!(store.paths().unwrap(), ["a"]);
    let pruned = store.prune(&Prune::new()).unwrap();
    assert_eq!((pruned.runs, pruned.spans), (0, 0));
    put(store, [root(1, "b")]); // what was let go of may come again
    assert_eq!(found(store, &Filter::new()), [4, 3, 1]);
    assert_eq!(store.paths().unwrap(), ["a", "b"]);
}

/// The oldest runs go until so many bytes are left.
pub fn the_oldest_runs_go_until_it_fits(store: &dyn Store) {
    for run in 1..=100 {
        let mut span = root(run, "a");
        span.output = payload(&format!("\"{}\"", "x".repeat(100_000)));
        put(store, [span]);
    }
    let pruned = store.prune(&Prune::new().max_bytes(5_000_000)).unwrap();
    assert_eq!(pruned.runs, pruned.spans);
    assert!((50..=90).contains(&pruned.runs), "{pruned:?}");
    let kept: Vec<u64> = (pruned.runs + 1..=100).rev().collect();
    assert_eq!(found(store, &Filter::new()), kept);
    let pruned = store.prune(&Prune::new().max_bytes(5_000_000)).unwrap();
    assert_eq!(pruned.runs, 0, "it fits already");
}
