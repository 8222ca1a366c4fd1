//! What a function of a stream returns is a call, and each item is captured.

use futures::Stream;
use futures::stream::{self, BoxStream};
use timbal::runnable;

#[derive(Clone)]
struct Db;

#[runnable]
fn connect() -> impl Stream<Item = Db> {
    stream::iter([Db])
}

#[runnable]
async fn try_connect() -> impl Stream<Item = Result<Db, String>> {
    stream::iter([Ok(Db)])
}

#[runnable]
fn boxed() -> BoxStream<'static, Db> {
    Box::pin(stream::iter([Db]))
}

#[runnable]
fn mismatched() -> impl Stream<Item = u8> {
    stream::iter(["text"])
}

#[runnable]
fn cloned() -> impl Stream<Item = u8> + Clone {
    stream::iter([1])
}

fn main() {}
