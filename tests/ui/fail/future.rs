//! What a function of a future returns is a call, and its value is captured.

use std::fmt::Debug;
use std::pin::Pin;

use timbal::runnable;

struct Db;

#[runnable]
fn shown() -> impl Future<Output = u8> + Debug + Send {
    std::future::ready(1)
}

#[runnable]
fn connect() -> impl Future<Output = Db> {
    async { Db }
}

#[runnable]
fn reconnect() -> Pin<Box<dyn Future<Output = Option<Db>> + Send>> {
    Box::pin(async { None })
}

#[runnable]
fn mismatched(n: u8) -> impl Future<Output = u8> {
    async move { Some(n) }
}

#[runnable]
fn counted(n: u8) -> impl Future<Output = u8> + Send {
    let n = std::rc::Rc::new(n);
    async move { *n }
}

#[runnable(boxed)]
async fn boxed(n: u8) -> u8 {
    let n = std::rc::Rc::new(n);
    std::future::ready(()).await;
    *n
}

#[runnable(boxed)]
fn not_async() -> impl Future<Output = u8> {
    std::future::ready(1)
}

#[runnable(boxed(here))]
async fn where_else() {}

fn main() {}
