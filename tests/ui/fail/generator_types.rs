//! What a generator yields and returns is checked where it stands.

use std::rc::Rc;
use timbal::{runnable, yield_};

#[derive(Clone)]
struct Db;

#[runnable(yields = u8)]
async fn yields_other() {
    yield_!("text");
}

#[runnable(yields = Db)]
async fn yields_uncaptured() {
    yield_!(Db);
}

#[runnable(try_yields = Db)]
fn try_yields_uncaptured() -> Result<(), String> {
    yield_!(Db);
    Ok(())
}

#[runnable(yields = u8)]
async fn returns_uncaptured() -> Db {
    yield_!(1);
    Db
}

#[runnable(yields = u8)]
async fn returns_other() -> u8 {
    yield_!(1);
    "text"
}

#[runnable(yields = u8)]
fn returns_nothing() -> String {
    yield_!(1);
}

#[runnable(yields = u8)]
async fn is_not_send() {
    let count = Rc::new(1);
    yield_!(*count);
}

fn is_send(_: impl Send) {}

fn main() {
    is_send(is_not_send());
    let _: u8 = returns_nothing().returned();
}
