//! The attribute adds no warning to a function that has none.

#![deny(warnings, rust_2018_idioms, future_incompatible, let_underscore, unused)]
#![deny(single_use_lifetimes, trivial_casts, unused_qualifications, unused_results)]

use std::sync::{Arc, Mutex};

use timbal::{runnable, yield_};

#[runnable]
async fn one_line() -> u8 { 1 }

#[runnable]
async fn parenthesized(n: u8) -> u8 { (n + 1) * 2 }

#[runnable]
async fn mutable(mut n: u8, _unused: u8, _: u8) -> u8 {
    n += 1;
    n
}

#[runnable]
async fn returns(n: u8) -> u8 {
    if n > 1 {
        return 1;
    }
    unreachable!("it is only compiled")
}

#[runnable]
async fn loops() -> String {
    loop {
        std::future::ready(()).await;
    }
}

#[runnable]
async fn empty() {}

#[runnable(skip_input)]
async fn locks(shared: Arc<Mutex<Vec<u8>>>) -> usize {
    shared.lock().unwrap().len()
}

#[runnable]
async fn expects(#[expect(unused_variables)] n: u8) -> u8 {
    use std::convert::identity;
    fn two() -> u8 {
        2
    }
    identity(two())
}

#[runnable(yields = u8)]
async fn generated(mut n: u8, _unused: u8) -> u8 {
    loop {
        yield_!(n);
        n += 1;
        if n > 9 {
            return n;
        }
        futures::join!(async { yield_!(n) }, async move { yield_!(n) });
        match n {
            7 => yield_!(7),
            _ => {}
        }
    }
}

#[runnable(yields = &'a str)]
fn generated_now<'a>(text: &'a str) { yield_!(text) }

#[runnable(yields = u8)]
fn left_out() {
    #[cfg(false)]
    yield_!(1);
}

fn main() {
    drop((generated(1, 2).returned(), generated_now("a").returned(), left_out()));
    drop((one_line(), parenthesized(1), mutable(1, 2, 3), returns(1), loops(), empty()));
    drop((locks(Arc::default()), expects(1)));
}
