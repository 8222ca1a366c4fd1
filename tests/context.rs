//! Which call a call belongs to, and what is said of it from inside.

use std::time::Duration;

use expect_test::expect;
use futures::StreamExt;
use futures::executor::block_on;
use futures::stream::FuturesUnordered;
use timbal::{RunId, Timbal, Traceparent, current, runnable};

#[runnable]
async fn leaf(n: u64) -> u64 {
    timbal::usage("leaves", 1);
    n
}

#[runnable]
async fn unordered() -> u64 {
    let leaves: FuturesUnordered<_> = (0..3).map(leaf).collect();
    leaves.fold(0, async |sum, n| sum + n).await
}

#[runnable]
async fn where_am_i() -> String {
    current().unwrap().path()
}

#[runnable(name = "renamed")]
async fn middle() -> String {
    where_am_i().await
}

#[test]
fn concurrent_calls_have_the_right_parent() {
    let (sum, trace) = block_on(unordered().traced());
    assert_eq!(sum, 3);
    expect![[r#"
        unordered {} -> 3
          leaf {"n":0} -> 0
          leaf {"n":1} -> 1
          leaf {"n":2} -> 2"#]]
    .assert_eq(&trace.to_string());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_belongs_to_the_call_in_which_it_was_made() {
    let call = timbal::call!("root", async {
        let tasks: Vec<_> = (0..2).map(|n| tokio::spawn(leaf(n))).collect();
        for task in tasks {
            task.await.unwrap();
        }
    });
    let (_, trace) = call.traced().await;
    let root = trace.root().unwrap();
    assert_eq!(
        trace.children(root.call_id).map(|span| span.path.as_str()).collect::<Vec<_>>(),
        ["root.leaf"; 2]
    );
    assert_eq!(root.usage["leaves"], 2);
}

#[test]
fn a_call_made_outside_is_a_run_of_its_own_wherever_it_is_awaited() {
    let made_outside = timbal::call!("outside", async { current().map(|c| c.path()) });
    let (path, trace) = block_on(timbal::call!("root", made_outside).traced());
    assert_eq!((path, trace.spans.len()), (None, 1));
}

#[test]
fn the_current_call_is_known_where_it_runs() {
    assert!(current().is_none());
    let (path, _) = block_on(middle().traced());
    assert_eq!(path, "renamed.where_am_i");
    assert!(current().is_none());
}

#[test]
fn between_two_polls_there_is_no_current_call() {
    let mut events = timbal::call!("waits", async { std::future::pending::<()>().await }).events();
    timbal_tests::poll_and_drop(1, events.next());
    assert!(current().is_none());
}

#[test]
fn current_names_the_call() {
    let call = timbal::call!("root", async {
        let root = current().unwrap();
        let child = timbal::call!("child", skip_output, async { current().unwrap() }).await;
        assert_eq!(child.parent_call_id(), Some(root.call_id()));
        assert_eq!((child.run_id(), root.parent_call_id()), (root.run_id(), None));
        let header = format!("00-{}-{}-01", child.run_id(), child.call_id());
        assert_eq!(child.traceparent().to_string(), header);
    });
    block_on(call.traced());
}

#[test]
fn a_detached_call_is_a_run_of_its_own() {
    let timbal = Timbal::builder().build();
    let ids = block_on(
        timbal::call!("root", async {
            let run = || timbal::call!("run", async { current().unwrap().run_id() });
            (run().await, run().detached().await)
        })
        .recorded_by(&timbal),
    );
    let trace = block_on(timbal.trace(ids.1)).unwrap().unwrap();
    assert_ne!(ids.0, ids.1);
    assert_eq!(trace.to_string(), format!("run -> {:?}", ids.1.to_string()));
}

#[test]
fn a_run_can_continue_a_run() {
    let earlier: RunId = "0197f4a89c4b7d3ea1f00c5e8a6b2d41".parse().unwrap();
    let (_, trace) = block_on(leaf(1).parent_run(earlier).traced());
    assert_eq!(trace.parent_run_id, Some(earlier));
    assert_ne!(trace.run_id, earlier);
    let nested =
        timbal::call!("root", async { leaf(1).parent_run(earlier).traced().await.1.parent_run_id });
    assert_eq!(block_on(nested.traced()).0, Some(earlier));
}

#[test]
fn a_call_can_continue_a_call_of_another_process() {
    let header = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let parent: Traceparent = header.parse().unwrap();
    let (_, trace) = block_on(middle().continues(parent).traced());
    let root = trace.root().unwrap();
    assert_eq!(trace.run_id.to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
    assert_eq!(root.parent_call_id, Some(parent.call_id()));
    assert_eq!(trace.spans[1].path, "renamed.where_am_i");
}

#[test]
fn a_call_can_continue_a_run_and_a_call_of_another_process_at_once() {
    let header = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let parent: Traceparent = header.parse().unwrap();
    let earlier: RunId = "0197f4a89c4b7d3ea1f00c5e8a6b2d41".parse().unwrap();
    for call in [
        leaf(1).continues(parent).parent_run(earlier).detached(),
        leaf(1).detached().parent_run(earlier).continues(parent),
    ] {
        let done = block_on(call.collect());
        assert_eq!((done.run_id, done.parent_call_id), (parent.run_id(), Some(parent.call_id())));
        assert_eq!(done.parent_run_id, Some(earlier));
    }
}

#[test]
fn a_bad_traceparent_is_an_error() {
    for bad in [
        "",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-00",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    ] {
        assert!(bad.parse::<Traceparent>().is_err(), "{bad}");
    }
}

#[test]
fn of_a_later_traceparent_what_is_known_is_read() {
    let known = "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    for rest in ["", "-", "-what-the-future", "-Will.Be-Ü"] {
        let read = format!("cc-{known}{rest}").parse::<Traceparent>().map(|read| read.to_string());
        assert_eq!(read, Ok(format!("00-{known}")), "{rest}");
    }
    for rest in ["0", ".what", " -"] {
        assert!(format!("cc-{known}{rest}").parse::<Traceparent>().is_err(), "{rest}");
    }
}

#[test]
fn metadata_is_of_one_call() {
    let call = timbal::call!("root", async {
        timbal::metadata("model", "small");
        timbal::metadata("model", "large");
        leaf(1).metadata("attempt", 2).await
    });
    let (_, trace) = block_on(call.metadata("user", "alice").metadata("model", "none").traced());
    let metadata = |path| serde_json::to_string(&trace.find(path).unwrap().metadata).unwrap();
    assert_eq!(metadata("root"), r#"{"model":"large","user":"alice"}"#);
    assert_eq!(metadata("root.leaf"), r#"{"attempt":2}"#);
}

#[test]
fn usage_reaches_every_call_above() {
    let call = timbal::call!("root", async {
        timbal::usage("tokens", 1);
        timbal::call!("middle", async {
            timbal::usage("tokens", 10);
            leaf(1).await
        })
        .await
    });
    let (_, trace) = block_on(call.traced());
    let usage = |path| serde_json::to_string(&trace.find(path).unwrap().usage).unwrap();
    assert_eq!(usage("root"), r#"{"leaves":1,"tokens":11}"#);
    assert_eq!(usage("root.middle"), r#"{"leaves":1,"tokens":10}"#);
    let own: u64 = trace.spans.iter().filter_map(|span| span.usage_own.get("tokens")).sum();
    assert_eq!(own, 11);
}

#[test]
fn usage_is_exact_from_sixteen_threads() {
    let call = timbal::call!("root", async {
        let made_here: Vec<_> = (0..16).map(|_| (0..1_000).map(leaf).collect::<Vec<_>>()).collect();
        std::thread::scope(|scope| {
            for leaves in made_here {
                scope.spawn(|| {
                    block_on(async {
                        for leaf in leaves {
                            leaf.await;
                        }
                    })
                });
            }
        });
    });
    let (_, trace) = block_on(call.traced());
    let root = trace.root().unwrap();
    assert_eq!((root.usage["leaves"], root.calls, trace.spans.len()), (16_000, 16_000, 16_001));
}

#[test]
fn usage_that_does_not_fit_stays_at_the_greatest_number() {
    let call = timbal::call!("root", async {
        timbal::usage("bytes", u64::MAX);
        timbal::usage("bytes", 1);
        timbal::call!("child", async { timbal::usage("bytes", 1) }).await;
    });
    assert_eq!(block_on(call.traced()).1.root().unwrap().usage["bytes"], u64::MAX);
}

#[tokio::test]
async fn usage_of_a_call_that_outlives_its_parent_reaches_the_next_open_call() {
    let (go, wait) = tokio::sync::oneshot::channel::<()>();
    let call = timbal::call!("root", async {
        let mut task = None;
        timbal::call!("parent", async {
            task = Some(tokio::spawn(timbal::call!("survivor", async {
                wait.await.unwrap();
                timbal::usage("tokens", 7);
            })));
        })
        .await;
        go.send(()).unwrap();
        task.unwrap().await.unwrap();
    });
    let (_, trace) = call.traced().await;
    let usage = |path| trace.find(path).unwrap().usage.get("tokens").copied();
    assert_eq!(usage("root.parent.survivor"), Some(7));
    assert_eq!((usage("root.parent"), usage("root")), (None, Some(7)));
}

#[test]
fn outside_of_calls_nothing_happens() {
    timbal::usage("tokens", 1);
    timbal::metadata("model", "gpt-5");
    block_on(timbal::emit("nobody hears this"));
}

#[test]
fn times_count_from_the_wall_at_the_start_of_the_run() {
    let timbal = timbal_tests::steady().build();
    let (_, trace) = block_on(async {
        let call = timbal::call!("root", async { leaf(1).await });
        call.recorded_by(&timbal).traced().await
    });
    let root = trace.root().unwrap();
    assert_eq!(root.t0.as_millis() / 1_000, 1_640_995_200);
    assert!(root.elapsed() >= trace.spans[1].elapsed() + Duration::from_millis(2));
    assert!(root.t0 <= trace.spans[1].t0 && trace.spans[1].t1 <= root.t1);
}

#[test]
fn ids_are_well_formed() {
    let (_, trace) = block_on(leaf(1).traced());
    let id = trace.run_id.to_string();
    assert_eq!((id.len(), &id[12..13]), (32, "7"));
    assert!(matches!(&id[16..17], "8" | "9" | "a" | "b"), "{id}");
    assert_eq!(id.parse::<RunId>().unwrap(), trace.run_id);
    assert_eq!(trace.spans[0].call_id.to_string().len(), 16);
    assert!("+197f4a89c4b7d3ea1f00c5e8a6b2d41".parse::<RunId>().is_err());
    assert!("0".repeat(32).parse::<RunId>().is_err());
}
