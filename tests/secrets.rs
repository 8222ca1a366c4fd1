//! Secrets and size: what a recorder captures, by its own rules.

use std::time::Duration;

use expect_test::expect;
use futures::executor::block_on;
use futures::{FutureExt, Stream, StreamExt, stream};
use serde::Serialize;
use serde_json::{Value, json};
use timbal::{Builder, PayloadError, Timbal, runnable};
use timbal_tests::Heard;

/// Every place where the name of a secret can stand.
#[derive(Clone, Serialize)]
struct Login {
    user: &'static str,
    password: &'static str,
    headers: Value,
    nested: Vec<Secret>,
}

#[derive(Clone, Serialize)]
enum Secret {
    #[serde(rename = "CARD-number")]
    Card { digits: &'static str },
}

fn login() -> Login {
    let headers = json!({ "Authorization": "SECRET", "X-Api-Key": ["SECRET"], "accept": "text" });
    let nested = vec![Secret::Card { digits: "SECRET" }];
    Login { user: "alice", password: "SECRET", headers, nested }
}

#[runnable]
async fn sign_in(login: Login, token: &str, card_number: u64) -> Login {
    let _ = (token, card_number);
    timbal::emit(&login).await;
    timbal::metadata("cardNumber", "SECRET");
    timbal::metadata("login", &login);
    login
}

#[runnable]
fn logins() -> impl Stream<Item = Login> {
    stream::iter([login(), login()])
}

fn hearing(builder: Builder) -> (Timbal, Heard) {
    let heard = Heard::default();
    (builder.subscriber(heard.clone()).build(), heard)
}

#[test]
fn no_secret_is_told_or_kept() {
    let (timbal, heard) = hearing(Timbal::builder().mask_keys(["card_number"]));
    let call = timbal::call!("root", async {
        sign_in(login(), "SECRET", 4242).metadata("_cardNumber", "SECRET").await;
        sign_in(login(), "SECRET", 4242).metadata("deep", login()).await;
        logins().count().await
    });
    let call = call.metadata("login", login()).recorded_by(&timbal).metadata("apikey", "SECRET");
    let (_, trace) = block_on(call.traced());
    let kept = block_on(timbal.trace(trace.run_id)).unwrap().unwrap();
    let texts = [heard.show(), format!("{kept:?}"), serde_json::to_string(&trace).unwrap()];
    for text in texts {
        assert!(!text.contains("SECRET") && !text.contains("4242"), "{text}");
        assert!(text.contains("alice") && text.contains("accept"), "{text}");
    }
    let span = kept.find("root.sign_in").unwrap();
    assert_eq!(
        span.output.as_json(),
        r#"{"user":"alice","password":"***","headers":{"Authorization":"***","X-Api-Key":"***","accept":"text"},"nested":[{"CARD-number":"***"}]}"#
    );
}

#[runnable(metadata(api_key = "SECRET", region = "SECRET", team = "red"))]
async fn labelled() {
    std::future::pending().await
}

#[test]
fn what_the_attribute_says_is_masked() {
    let (timbal, heard) = hearing(Timbal::builder().mask_keys(["Region"]));
    let mut call = Box::pin(labelled().recorded_by(&timbal).traced());
    assert!((&mut call).now_or_never().is_none());
    drop(call);
    let run_id = heard.run_id();
    let kept = block_on(timbal.trace(run_id)).unwrap().unwrap();
    let expected = json!({ "api_key": "***", "region": "***", "team": "red" });
    assert_eq!(json!(kept.root().unwrap().metadata), expected);

    let timbal = Timbal::builder().mask_only_keys(["team"]).build();
    let done = block_on(labelled().recorded_by(&timbal).timeout(Duration::ZERO).collect());
    let expected = json!({ "api_key": "SECRET", "region": "SECRET", "team": "***" });
    assert_eq!(json!(done.metadata), expected);
}

#[test]
fn keys_can_be_chosen_alone() {
    let timbal = Timbal::builder().mask_only_keys(["user"]).build();
    let call = timbal::call!("login", async { login() }).recorded_by(&timbal);
    let output = block_on(call.collect()).output.to_value();
    assert_eq!((&output["user"], &output["password"]), (&json!("***"), &json!("SECRET")));
    let none: [&str; 0] = [];
    let timbal = Timbal::builder().mask_only_keys(none).build();
    let call = timbal::call!("login", async { login() }).recorded_by(&timbal);
    assert!(block_on(call.collect()).output.is_whole());
}

#[runnable]
async fn refused(password: &str) -> Result<(), String> {
    Err(format!("`{password}` is wrong"))
}

#[test]
fn what_errors_say_is_not_masked() {
    let done = block_on(refused("hunter2").collect());
    assert_eq!(done.input.as_json(), r#"{"password":"***"}"#);
    assert_eq!(done.error.unwrap().message(), "`hunter2` is wrong");
}

/// A list inside of so many lists.
fn deep(levels: usize) -> Value {
    (0..levels).fold(json!([]), |inner, _| json!([inner]))
}

#[runnable]
async fn echo(value: Value) -> Value {
    value
}

#[test]
fn limits_are_the_recorders() {
    let timbal = Timbal::builder().max_payload_bytes(100).max_payload_depth(2).build();
    let output = |value| block_on(echo(value).recorded_by(&timbal).collect()).output;
    assert_eq!(output(json!("x".repeat(98))).get::<String>().unwrap().len(), 98);
    let cut = output(json!("x".repeat(99)));
    assert!(matches!(cut.get::<String>(), Err(PayloadError::Cut)));
    assert_eq!(cut.to_value()["$cut"]["bytes"], 101);
    expect![[r#"[[{"$cut":{"bytes":null,"head":"["}}]]"#]].assert_eq(output(deep(5)).as_json());
    assert_eq!(timbal.health().cut, 5); // of the inputs the first too, which has a name besides
}

#[test]
fn there_need_be_no_limit() {
    let timbal = Timbal::builder().max_payload_bytes(None).max_payload_depth(None).build();
    let output = |value| block_on(echo(value).recorded_by(&timbal).collect()).output;
    let long = output(json!("x".repeat(3 << 20)));
    assert_eq!(long.get::<String>().unwrap().len(), 3 << 20);
    assert!(output(deep(250)).is_whole());
    let bottomless = output(deep(300));
    assert!(!bottomless.is_whole() && bottomless.as_json().starts_with("[[[["));
    assert_eq!(timbal.health().cut, 2);
}
