//! The attribute needs none of the names that a crate can take away.

#![no_implicit_prelude]
#![deny(warnings)]
#![allow(dead_code, reason = "the names are in the way, and no more")]

use ::timbal::{runnable, yield_};

mod timbal {
    pub struct Call;
}
mod core {}
mod std {}
struct Future;
struct Option;
struct Result;
struct String;
struct Some;
struct None;
struct Ok;
struct Err;
struct Send;

type Outcome<T> = ::std::result::Result<T, ::std::string::String>;

#[runnable]
async fn shadowed(name: ::std::string::String, (a, _): (u8, u8)) -> Outcome<u8> {
    if a == 0 { Outcome::Err(name) } else { Outcome::Ok(a) }
}

#[runnable(try_yields = u8)]
async fn generated(n: u8) -> Outcome<u8> {
    yield_!(n);
    yield_!(shadowed(::std::string::String::new(), (n, 1)).await?);
    ::futures::join!(async move { yield_!(n) });
    Outcome::Ok(n)
}

#[runnable(yields = u8)]
fn generated_now(n: u8) {
    yield_!(n);
}

fn main() {}
