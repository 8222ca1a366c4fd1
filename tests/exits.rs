//! Calls that have nothing more to do: `bail!`, in whatever type the error is put.

use std::error::Error;

use expect_test::{Expect, expect};
use futures::{StreamExt, stream};
use timbal::{EarlyExit, OutputEvent, runnable};

#[runnable]
async fn plain(n: u8) -> Result<u8, EarlyExit> {
    if n == 0 {
        timbal::bail!("{n} is nothing to do");
    }
    Ok(n)
}

#[runnable]
async fn boxed(n: u8) -> Result<u8, Box<dyn Error + Send + Sync>> {
    if n == 0 {
        timbal::bail!("nothing to do");
    }
    Ok(plain(n - 1).await?)
}

#[runnable]
async fn anyhow(n: u8) -> anyhow::Result<u8> {
    use anyhow::Context;
    if n == 0 {
        timbal::bail!("nothing to do");
    }
    plain(n - 1).await.context("while it looked")
}

#[runnable]
async fn eyre(n: u8) -> eyre::Result<u8> {
    if n == 0 {
        timbal::bail!("nothing to do");
    }
    Ok(plain(n - 1).await?)
}

#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("stopped")]
    Stopped(#[from] EarlyExit),
    #[error(transparent)]
    Transparent(Box<Transparent>),
    #[error("{0}")]
    Text(String),
}

/// It says what the exit says, and its source is the exit's, which is none.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
struct Transparent(#[from] EarlyExit);

#[runnable]
async fn own(n: u8) -> Result<u8, Failure> {
    match n {
        0 => timbal::bail!("nothing to do"),
        1 => Err(Failure::Transparent(Box::new(EarlyExit::new("nothing to see").into()))),
        2 => Err(plain(0).await.map_err(|exit| Failure::Text(exit.to_string()))?.into_failure()),
        n => Ok(plain(n - 3).await?),
    }
}

trait IntoFailure {
    fn into_failure(self) -> Failure;
}

impl IntoFailure for u8 {
    fn into_failure(self) -> Failure {
        Failure::Text(self.to_string())
    }
}

#[runnable]
async fn handles(n: u8) -> Result<u8, String> {
    if plain(n).await.is_err() {
        return Err("it is needed".into());
    }
    Ok(n)
}

#[runnable]
fn items() -> impl futures::Stream<Item = Result<u8, EarlyExit>> {
    stream::iter([1, 0]).then(plain)
}

fn check(done: &OutputEvent, expected: Expect) {
    let error = done.error.as_ref().map(ToString::to_string);
    expected.assert_eq(&format!("{} {:?} {}", done.status, error, done.output));
}

#[tokio::test]
async fn an_early_exit_is_known_in_every_type() {
    check(
        &plain(0).collect().await,
        expect!["cancelled (early_exit): 0 is nothing to do None null"],
    );
    check(&plain(1).collect().await, expect!["success None 1"]);
    check(&boxed(0).collect().await, expect!["cancelled (early_exit): nothing to do None null"]);
    check(&anyhow(0).collect().await, expect!["cancelled (early_exit): nothing to do None null"]);
    check(&eyre(0).collect().await, expect!["cancelled (early_exit): nothing to do None null"]);
    check(&own(0).collect().await, expect!["cancelled (early_exit): nothing to do None null"]);
    check(&own(1).collect().await, expect!["cancelled (early_exit): nothing to see None null"]);
}

#[tokio::test]
async fn who_passes_it_on_exits_too() {
    check(
        &boxed(1).collect().await,
        expect!["cancelled (early_exit): 0 is nothing to do None null"],
    );
    check(
        &anyhow(1).collect().await,
        expect!["cancelled (early_exit): 0 is nothing to do None null"],
    );
    check(
        &eyre(1).collect().await,
        expect!["cancelled (early_exit): 0 is nothing to do None null"],
    );
    check(&own(2).collect().await, expect!["cancelled (early_exit): 0 is nothing to do None null"]);
    check(&own(3).collect().await, expect!["cancelled (early_exit): 0 is nothing to do None null"]);
    check(
        &items().events().collect().await,
        expect!["cancelled (early_exit): 0 is nothing to do None [1]"],
    );
}

#[tokio::test]
async fn who_handles_it_does_not() {
    check(&handles(0).collect().await, expect![[r#"error Some("String: it is needed") null"#]]);
    check(&handles(1).collect().await, expect!["success None 1"]);
}

#[tokio::test]
async fn it_is_the_callers_error_as_any_other() {
    let (exit, trace) = anyhow(1).traced().await;
    assert_eq!(exit.unwrap_err().root_cause().to_string(), "0 is nothing to do");
    expect![[r#"
        anyhow {"n":1} -- cancelled (early_exit): 0 is nothing to do
          plain {"n":0} -- cancelled (early_exit): 0 is nothing to do"#]]
    .assert_eq(&trace.to_string());

    let json = serde_json::to_value(plain(0).collect().await).unwrap();
    let status = r#"{"code":"cancelled","message":"0 is nothing to do","reason":"early_exit"}"#;
    assert_eq!(
        (json["status"].to_string().as_str(), &json["error"]),
        (status, &serde_json::Value::Null)
    );
}
