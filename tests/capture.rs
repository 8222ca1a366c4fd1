//! Strange values: what becomes of them is in the payload, and the call is as it would have been.

use expect_test::expect;
use futures::executor::block_on;
use serde::{Serialize, Serializer, ser};
use timbal::{PayloadError, Timbal, runnable};
use timbal_tests::{Heard, read_all, show};

/// Panics when it is captured.
#[derive(Clone, Copy)]
struct Panics;

impl Serialize for Panics {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        panic!("not this one")
    }
}

/// Refuses to be captured.
struct Refuses;

impl Serialize for Refuses {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(ser::Error::custom("I would rather not"))
    }
}

#[runnable]
async fn strange(panics: Panics, refuses: Refuses, n: u64) -> Panics {
    timbal::emit(panics).await;
    let _ = (refuses, n);
    panics
}

#[runnable]
async fn echo(text: String) -> String {
    text
}

/// A list of one list of one list.
#[derive(Serialize)]
struct Nested(Vec<Nested>);

#[runnable]
async fn depth(nested: Nested) -> usize {
    let (mut depth, mut rest) = (0, nested);
    while let Some(inner) = rest.0.pop() {
        (depth, rest) = (depth + 1, inner);
    }
    depth
}

#[runnable]
async fn sign_in(user: &str, password: &str, #[redact] pin: u16, #[skip] note: &str) -> bool {
    timbal::metadata("api_key", password);
    user.len() + note.len() > usize::from(pin)
}

#[test]
fn a_value_that_panics_or_refuses_leaves_the_call_intact() {
    let events = block_on(read_all(strange(Panics, Refuses, 7).events()));
    expect![[r#"
        START  strange
        CHUNK  strange {"$error":"panicked: not this one"}
        OUTPUT strange {"panics":{"$error":"panicked: not this one"},"refuses":{"$error":"I would rather not"},"n":7} -> {"$error":"panicked: not this one"}
    "#]]
    .assert_eq(&show(&events));
}

#[test]
fn a_text_of_100_mb_is_cut_and_given_whole() {
    let timbal = Timbal::builder().build();
    let text = "x".repeat(100 << 20);
    let (text, trace) = block_on(async {
        let call = timbal::call!("root", async { echo(text).await.len() });
        call.recorded_by(&timbal).traced().await
    });
    let echo = trace.find("root.echo").unwrap();
    assert_eq!((text, echo.output.is_whole()), (100 << 20, false));
    assert_eq!(echo.output.to_value()["$cut"]["bytes"], (100 << 20) + 2);
    assert!(echo.input.as_json().len() < 2_000);
    assert!(matches!(echo.output.get::<String>(), Err(PayloadError::Cut)));
    assert_eq!(timbal.health().cut, 2);
}

#[test]
fn ten_thousand_levels_fit_on_a_small_stack() {
    let small = std::thread::Builder::new().stack_size(2 << 20);
    let levels = small.spawn(|| {
        let nested = (0..10_000).fold(Nested(Vec::new()), |inner, _| Nested(vec![inner]));
        block_on(depth(nested).collect())
    });
    let done = levels.unwrap().join().unwrap();
    assert_eq!(done.output, 10_000);
    assert!(matches!(done.input.get::<serde_json::Value>(), Err(PayloadError::Cut)));
}

#[test]
fn secrets_are_not_captured() {
    let heard = Heard::default();
    let timbal = Timbal::builder().subscriber(heard.clone()).build();
    let call = sign_in("alice", "hunter2", 1234, "hello").recorded_by(&timbal);
    let (_, trace) = block_on(call.traced());
    expect![[r#"
        START  sign_in
        OUTPUT sign_in {"user":"alice","password":"***","pin":"***"} -> false
    "#]]
    .assert_eq(&heard.show());
    assert_eq!(trace.spans[0].metadata["api_key"], "***");
    assert!(matches!(trace.spans[0].input.get::<serde_json::Value>(), Err(PayloadError::Masked)));
}
