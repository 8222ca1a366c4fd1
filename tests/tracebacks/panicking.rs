//! Programs that panic, one of each shape.

use std::panic;

use futures::future::BoxFuture;
use futures::{FutureExt, Stream, StreamExt, stream};
use timbal::runnable;

#[runnable]
pub(crate) async fn future(n: u8) -> u8 {
    assert!(n > 3, "{n} is not enough");
    n
}

#[runnable]
pub(crate) fn value(n: usize) -> u8 {
    let numbers = [1, 2, 3];
    numbers[n]
}

#[runnable]
pub(crate) fn impl_future(text: &str) -> impl Future<Output = u8> {
    let number: u8 = text.parse().expect("a number");
    std::future::ready(number)
}

#[runnable]
pub(crate) fn boxed_future(n: u8) -> BoxFuture<'static, u8> {
    async move { n.checked_sub(9).unwrap() }.boxed()
}

#[runnable]
pub(crate) fn items() -> impl Stream<Item = u8> {
    stream::iter([1, 2]).map(|n| if n == 2 { panic!("it fails halfway") } else { n })
}

#[runnable]
pub(crate) fn iterator() -> impl Iterator<Item = u8> {
    (1..).map(|n| if n == 3 { panic!("it fails at {n}") } else { n })
}

#[runnable(blocking)]
pub(crate) fn blocking() -> u8 {
    panic!("it blocked")
}

#[runnable]
pub(crate) async fn any(n: u8) -> u8 {
    match n {
        0 => panic::panic_any(404),
        1 => panic::panic_any("text".to_owned()),
        2 => panic::panic_any(std::io::Error::other("an error")),
        _ => panic::panic_any([n]),
    }
}

#[runnable]
pub(crate) async fn outer(n: u8) -> Result<u8, std::num::ParseIntError> {
    let n = u8::from_str_radix("7", 8)? + n;
    Ok(future(n - 7).await)
}

#[runnable]
pub(crate) async fn task() -> anyhow::Result<u8> {
    let number = tokio::spawn(future(1)).await?;
    Ok(number)
}

#[runnable]
pub(crate) async fn caught() -> Result<u8, String> {
    let panic = future(1).catch_unwind_call().await;
    panic.map_err(|_| "it was caught".to_owned())?;
    Ok(1)
}

#[runnable]
pub(crate) async fn resumed() -> u8 {
    panic::resume_unwind(Box::new("from elsewhere"))
}

/// Catches what a call panics with.
pub(crate) trait CatchUnwindCall: Future + Sized {
    async fn catch_unwind_call(self) -> std::thread::Result<Self::Output> {
        std::panic::AssertUnwindSafe(self).catch_unwind().await
    }
}

impl<F: Future> CatchUnwindCall for F {}
