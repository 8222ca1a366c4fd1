//! Earlier runs: what a recorder is asked about them, whatever keeps them.

use std::time::Duration;

use expect_test::expect;
use futures::executor::block_on;
use timbal::{
    Batch, Filter, Prune, RunId, StatsQuery, StatusCode, Store, StoreError, Timbal, Trace, runnable,
};
use timbal_tests::steady;

#[runnable]
async fn outer(n: u64) -> Result<u64, String> {
    timbal::usage("calls", 1);
    if n == 3 { inner(n).await } else { Ok(n) }
}

#[runnable(metadata(kind = "leaf"))]
async fn inner(n: u64) -> Result<u64, String> {
    timbal::usage("tokens", 10 * n);
    Err(format!("{n} is too much"))
}

/// Five runs, of which the fourth fails.
fn recorded(timbal: &Timbal) {
    for n in 0..5 {
        let _one_fails = block_on(outer(n).recorded_by(timbal));
    }
}

#[test]
fn runs_are_found_by_what_they_are() {
    let timbal = steady().build();
    recorded(&timbal);
    let all = block_on(timbal.runs(&Filter::new())).unwrap();
    let spans: Vec<_> = all.runs.iter().map(|run| run.spans).collect();
    assert_eq!(spans, [1, 2, 1, 1, 1]);

    let failed = block_on(timbal.runs(&Filter::new().status(StatusCode::Error))).unwrap();
    let [failed] = &failed.runs[..] else { panic!("one run failed: {failed:?}") };
    assert_eq!((failed.path.as_str(), failed.usage["tokens"]), ("outer", 30));
    for filter in [Filter::new().text("TOO much"), Filter::new().usage("tokens", 30)] {
        let found = block_on(timbal.runs(&filter)).unwrap();
        assert_eq!(found.runs, std::slice::from_ref(failed));
    }
    let trace = block_on(timbal.trace(failed.run_id)).unwrap().unwrap();
    assert_eq!(trace.find("outer.inner").unwrap().metadata["kind"], "leaf");
}

#[test]
fn runs_that_go_on_from_a_run_are_found() {
    let timbal = Timbal::builder().build();
    let (_, first) = block_on(outer(1).recorded_by(&timbal).traced());
    let (_, second) = block_on(outer(2).recorded_by(&timbal).parent_run(first.run_id).traced());
    let found = block_on(timbal.runs(&Filter::new().parent_run(first.run_id))).unwrap();
    assert_eq!(found.runs.iter().map(|run| run.run_id).collect::<Vec<_>>(), [second.run_id]);
}

#[test]
fn calls_are_counted_by_path() {
    let timbal = steady().build();
    recorded(&timbal);
    let stats = block_on(timbal.stats(&StatsQuery::new())).unwrap();
    let json = serde_json::to_string_pretty(&stats.paths[1]).unwrap();
    expect![[r#"
        {
          "path": "outer.inner",
          "bucket": null,
          "count": 1,
          "unfinished": 0,
          "errors": 1,
          "elapsed": {
            "p50_ns": 1000000,
            "p95_ns": 1000000,
            "p99_ns": 1000000
          },
          "busy": {
            "p50_ns": 1000000,
            "p95_ns": 1000000,
            "p99_ns": 1000000
          },
          "usage": {
            "tokens": 30
          },
          "usage_own": {
            "tokens": 30
          }
        }"#]]
    .assert_eq(&json);
    let outer = &stats.paths[0];
    assert_eq!((outer.count, outer.error_rate()), (5, 0.2));
    assert_eq!((outer.usage["tokens"], outer.usage_own.get("tokens")), (30, None));
    assert_eq!(block_on(timbal.paths()).unwrap(), ["outer", "outer.inner"]);
}

#[test]
fn old_runs_go() {
    let timbal = Timbal::builder().build();
    recorded(&timbal);
    let prune = |prune: Prune| block_on(timbal.prune(&prune)).unwrap().runs;
    assert_eq!(prune(Prune::new().older_than(Duration::from_secs(3_600))), 0);
    assert_eq!(prune(Prune::new().older_than(Duration::MAX)), 0);
    assert_eq!(prune(Prune::new().max_bytes(0)), 5);
    assert!(block_on(timbal.runs(&Filter::new())).unwrap().runs.is_empty());
}

#[test]
fn what_is_asked_and_answered_can_be_sent() {
    let filter = Filter::new().path("a").usage("tokens", 3).limit(1);
    let json = serde_json::to_string(&filter).unwrap();
    assert_eq!(serde_json::from_str::<Filter>(&json).unwrap(), filter);
    assert_eq!(serde_json::from_str::<Filter>("{}").unwrap(), Filter::new());

    let timbal = steady().build();
    recorded(&timbal);
    let page = block_on(timbal.runs(&Filter::new().limit(1))).unwrap();
    let json = serde_json::to_value(&page).unwrap();
    assert_eq!(json["next"], page.next.unwrap().to_string());
    assert_eq!(
        serde_json::from_value::<timbal::Cursor>(json["next"].clone()).unwrap(),
        page.next.unwrap()
    );
    for text in ["", "-", "0-1", "+000000000000007-00000000000000000000000000000007"] {
        assert!(text.parse::<timbal::Cursor>().is_err(), "{text}");
    }
}

/// Keeps nothing, and answers only what it must.
struct Deaf;

impl Store for Deaf {
    fn put(&self, _: &Batch) -> Result<(), StoreError> {
        Ok(())
    }

    fn trace(&self, _: RunId) -> Result<Option<Trace>, StoreError> {
        Ok(None)
    }
}

#[test]
fn a_store_says_what_it_does_not_answer() {
    let timbal = Timbal::builder().store(Deaf).build();
    let error = block_on(timbal.runs(&Filter::new())).unwrap_err();
    assert!(matches!(error, StoreError::Unsupported("runs")));
    assert_eq!(error.to_string(), "the store has no `runs`");
    assert!(block_on(timbal.stats(&StatsQuery::new())).is_err());
    assert!(block_on(timbal.paths()).is_err() && block_on(timbal.prune(&Prune::new())).is_err());
}
