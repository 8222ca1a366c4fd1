//! Functions of every shape stay what they are, and no lint says more of them than it did.

#![deny(warnings, rust_2018_idioms, future_incompatible, let_underscore, unused)]
#![deny(single_use_lifetimes, trivial_casts, unused_qualifications, unused_results)]

use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, Mutex};

use futures::future::{BoxFuture, LocalBoxFuture};
use futures::stream::{self, BoxStream, LocalBoxStream};
use futures::{FutureExt, Stream, StreamExt};
use timbal::runnable;

#[runnable]
fn value(n: u8) -> u8 { n + 1 }

#[runnable]
fn nothing(_n: u8) {}

#[runnable(skip_input)]
fn locks(shared: &Mutex<Vec<u8>>) -> usize {
    shared.lock().unwrap().len()
}

#[runnable(skip_output)]
fn coerced(text: &str) -> Result<Box<dyn Fn() -> usize + '_>, Box<dyn std::error::Error>> {
    if text.is_empty() {
        return Err("empty".into());
    }
    Ok(Box::new(|| text.len()))
}

#[runnable]
fn future(n: u8) -> impl Future<Output = u8> { async move { n } }

#[runnable]
fn boxed_future(n: u8) -> Pin<Box<dyn Future<Output = u8> + Send>> { Box::pin(async move { n }) }

#[runnable]
fn borrowed_future<'a>(a: &'a str, _b: &str) -> BoxFuture<'a, &'a str> {
    async move { a }.boxed()
}

#[runnable(skip_input)]
fn local_future(n: Rc<u8>) -> LocalBoxFuture<'static, u8> {
    async move { *n }.boxed_local()
}

#[runnable]
fn stream(text: &str) -> impl Stream<Item = &str> + Send + '_ { stream::iter(text.split(' ')) }

#[runnable(skip_input)]
async fn later<T: serde::Serialize>(items: Vec<T>) -> impl Stream<Item = T> {
    stream::iter(items)
}

#[runnable]
fn boxed_stream(text: &str) -> BoxStream<'_, char> {
    stream::iter(text.chars()).boxed()
}

#[runnable(skip_input)]
fn local_stream(n: Rc<u8>) -> LocalBoxStream<'static, u8> {
    stream::once(async move { *n }).boxed_local()
}

#[runnable]
fn iterator<'a>(text: &'a str, by: char) -> impl Iterator<Item = &'a str> + 'a {
    text.split(by)
}

#[runnable]
fn boxed_iterator(n: u8) -> Box<dyn Iterator<Item = u8>> { Box::new(0..n) }

#[runnable(skip_input)]
fn shared(items: Arc<Vec<u8>>) -> impl ExactSizeIterator<Item = u8> {
    (0..items.len()).map(move |at| items[at])
}

fn main() {
    fn is_send(_: impl Send) {}
    nothing(value(1));
    let _len = locks(&Mutex::default());
    let _len = coerced("text").map(|f| f());
    is_send((future(1), boxed_future(1), borrowed_future("a", &String::new())));
    is_send((stream("a b"), later(vec![1]), boxed_stream("a")));
    drop((local_future(Rc::new(1)), local_stream(Rc::new(1))));
    is_send((iterator("a b", ' '), shared(Arc::default()).len()));
    drop(boxed_iterator(1));
}
