//! Usage: what calls used adds up, whoever used it and whenever.

use std::collections::BTreeMap;

use futures::executor::block_on;
use futures::{Stream, StreamExt, stream};
use serde::Serialize;
use timbal::{Timbal, Trace, current, runnable};
use tokio::sync::oneshot;

#[derive(Clone, Serialize)]
struct Answer {
    text: &'static str,
    tokens: u64,
}

fn used_by(answer: &Answer) -> [(&'static str, u64); 2] {
    [("tokens", answer.tokens), ("answers", 1)]
}

#[runnable(usage = used_by)]
async fn answer(tokens: u64) -> Answer {
    timbal::usage("questions", 1);
    Answer { text: "so what", tokens }
}

#[runnable(usage = used_by)]
fn answer_now(tokens: u64) -> Answer {
    Answer { text: "so what", tokens }
}

#[runnable(usage = used_by)]
async fn checked(tokens: u64) -> Result<Answer, String> {
    if tokens == 0 { Err("no tokens".to_owned()) } else { Ok(Answer { text: "so what", tokens }) }
}

#[runnable(usage = used_by)]
fn answers(to: u64) -> impl Stream<Item = Answer> {
    stream::iter(1..=to).then(|n| async move { Answer { text: "so what", tokens: n } })
}

#[runnable(usage = used_by)]
fn answers_now(to: u64) -> impl Iterator<Item = Answer> {
    (1..=to).map(|n| Answer { text: "so what", tokens: n })
}

fn used(trace: &Trace, path: &str) -> String {
    serde_json::to_string(&trace.find(path).unwrap().usage).unwrap()
}

/// Of all spans, what each used itself.
fn sum_of_own(trace: &Trace) -> BTreeMap<String, u64> {
    let mut sum = BTreeMap::new();
    for (key, amount) in trace.spans.iter().flat_map(|span| &span.usage_own) {
        *sum.entry(key.clone()).or_default() += amount;
    }
    sum
}

#[test]
fn outputs_say_what_was_used() {
    let call = timbal::call!("root", skip_output, async {
        answer_now(10);
        let _failed = checked(0).await;
        let _checked = checked(100).await;
        answer(1_000).await.text.len()
    });
    let (_, trace) = block_on(call.traced());
    assert_eq!(used(&trace, "root.answer"), r#"{"answers":1,"questions":1,"tokens":1000}"#);
    assert_eq!(used(&trace, "root.answer_now"), r#"{"answers":1,"tokens":10}"#);
    assert_eq!(used(&trace, "root.checked"), "{}");
    assert_eq!(used(&trace, "root"), r#"{"answers":3,"questions":1,"tokens":1110}"#);
    assert_eq!(sum_of_own(&trace), trace.root().unwrap().usage);
}

#[test]
fn items_say_what_was_used_as_far_as_they_were_taken() {
    let call = timbal::call!("root", async {
        answers(4).take(3).for_each(async |_| ()).await;
        answers_now(4).map(|answer| answer.tokens).sum::<u64>()
    });
    let (_, trace) = block_on(call.traced());
    assert_eq!(used(&trace, "root.answers"), r#"{"answers":3,"tokens":6}"#);
    assert_eq!(used(&trace, "root.answers_now"), r#"{"answers":4,"tokens":10}"#);
    assert_eq!(sum_of_own(&trace), trace.root().unwrap().usage);
}

/// Sixteen threads, and all that they used reaches every call above.
#[tokio::test(flavor = "multi_thread", worker_threads = 16)]
async fn sums_are_exact_on_sixteen_threads() {
    let timbal = Timbal::builder().build();
    let call = timbal::call!("root", async {
        let tasks = (0..16).map(|_| {
            tokio::spawn(timbal::call!("task", async {
                for n in 0..250 {
                    timbal::call!("middle", async {
                        answer(n).await;
                        timbal::usage("tokens", 1);
                        answer_now(n);
                    })
                    .await;
                }
            }))
        });
        futures::future::join_all(tasks).await;
        current().unwrap().run_id()
    });
    let run = call.recorded_by(&timbal).await;
    let trace = timbal.trace(run).await.unwrap().unwrap();
    let root = trace.root().unwrap();
    let (tokens, calls) = (16 * (2 * 31_125 + 250), 16 * (1 + 250 * 3));
    assert_eq!((root.usage["tokens"], root.usage["answers"], root.calls), (tokens, 8_000, calls));
    assert_eq!(sum_of_own(&trace), root.usage);
}

/// What outlives a call is not in its usage: it is in its own span, and in that of the call above
/// that is still open.
#[tokio::test]
async fn what_outlives_a_call_is_stored() {
    let timbal = Timbal::builder().build();
    let ((go, wait), (mut run, mut task)) = (oneshot::channel::<()>(), (None, None));
    let call = timbal::call!("root", async {
        run = Some(current().unwrap().run_id());
        timbal::call!("parent", async {
            let child = timbal::call!("child", async {
                wait.await.unwrap();
                answer(7).await.tokens
            });
            task = Some(tokio::spawn(child));
        })
        .await;
        timbal::usage("tokens", 1);
    });
    call.recorded_by(&timbal).await;
    go.send(()).unwrap();
    task.unwrap().await.unwrap();
    let trace = timbal.trace(run.unwrap()).await.unwrap().unwrap();
    assert_eq!(used(&trace, "root.parent.child"), r#"{"answers":1,"questions":1,"tokens":7}"#);
    assert_eq!(
        (used(&trace, "root.parent").as_str(), used(&trace, "root").as_str()),
        ("{}", r#"{"tokens":1}"#)
    );
    assert_eq!(sum_of_own(&trace)["tokens"], 8); // nothing is lost, and nothing counted twice
    assert_eq!(timbal.health().late, 1); // that the root did not hear of it
}

#[test]
fn the_greatest_number_stays() {
    let call = timbal::call!("root", async {
        answer(u64::MAX).await;
        answer(u64::MAX).await;
        answers(3).count().await
    });
    let (_, trace) = block_on(call.traced());
    assert_eq!(trace.root().unwrap().usage["tokens"], u64::MAX);
}
