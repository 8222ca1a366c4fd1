//! A generator says what it yields, and yields it.

use futures::Stream;
use timbal::{runnable, yield_};

#[runnable(yields = u8)]
async fn silent() {}

#[runnable]
async fn says_nothing() {
    yield_!(1);
}

#[runnable(yields = u8)]
async fn fails() -> std::io::Result<()> {
    yield_!(1);
    Ok(())
}

#[runnable(try_yields = u8)]
async fn cannot_fail() {
    yield_!(1);
}

#[runnable(try_yields = u8)]
async fn is_no_result() -> u8 {
    yield_!(1);
    1
}

#[runnable(yields = u8, try_yields = u8)]
async fn both() {
    yield_!(1);
}

#[runnable(yields)]
async fn untyped() {
    yield_!(1);
}

#[runnable(yields = u8)]
fn streams() -> impl Stream<Item = u8> {
    yield_!(1);
    futures::stream::empty()
}

#[runnable(yields = u8)]
fn waits() {
    yield_!(std::future::ready(1).await);
    let _later = async { std::future::ready(2).await };
}

#[runnable(yields = u8, boxed)]
async fn boxed() {
    yield_!(1);
}

#[runnable(yields = u8, blocking)]
fn blocks() {
    yield_!(1);
}

struct Model;

#[runnable(yields = u8)]
impl Model {
    #[runnable(yields = u8)]
    async fn ask(&self) {
        yield_!(1);
    }
}

fn main() {}
