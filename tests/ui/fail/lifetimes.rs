//! What does not live long enough is underlined in the body.

use futures::future::BoxFuture;
use timbal::runnable;

#[runnable]
async fn awaited<'a>(text: &'a str, other: &str) -> &'a str {
    if text.is_empty() { other } else { text }
}

#[runnable]
fn value<'a>(text: &'a str, other: &str) -> &'a str {
    if text.is_empty() { other } else { text }
}

#[runnable]
fn boxed(text: &str) -> BoxFuture<'static, usize> {
    Box::pin(async move { text.len() })
}

#[runnable]
fn items(text: String) -> impl Iterator<Item = char> {
    text.chars()
}

#[runnable]
async fn local(text: String) -> &'static str {
    &text
}

fn main() {}
