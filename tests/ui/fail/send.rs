//! A call is `Send` when its body is.

use std::rc::Rc;

use futures::{Stream, stream};
use timbal::runnable;

#[runnable]
async fn counted(n: u8) -> u8 {
    let n = Rc::new(n);
    std::future::ready(()).await;
    *n
}

#[runnable]
fn later(n: u8) -> impl Future<Output = u8> {
    let n = Rc::new(n);
    async move { *n }
}

#[runnable]
fn items(n: u8) -> impl Stream<Item = u8> {
    let n = Rc::new(n);
    stream::once(async move { *n })
}

#[runnable]
fn numbers(n: u8) -> impl Iterator<Item = u8> {
    let n = Rc::new(n);
    std::iter::from_fn(move || Some(*n))
}

#[runnable(boxed(local))]
async fn boxed(n: u8) -> u8 {
    n
}

#[runnable(skip_input)]
async fn shared(n: &std::cell::Cell<u8>) -> u8 {
    n.get()
}

fn main() {
    fn is_send(_: impl Send) {}
    is_send(counted(1));
    is_send(later(1));
    is_send(items(1));
    is_send(numbers(1));
    is_send(boxed(1));
    is_send(shared(&std::cell::Cell::new(1)));
}
