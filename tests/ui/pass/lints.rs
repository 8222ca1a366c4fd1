//! The attribute adds no warning to a function that has none.

#![deny(warnings, rust_2018_idioms, future_incompatible, let_underscore, unused)]
#![deny(single_use_lifetimes, trivial_casts, unused_qualifications, unused_results)]

use std::sync::{Arc, Mutex};

use timbal::runnable;

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
    todo!()
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

fn main() {
    drop((one_line(), parenthesized(1), mutable(1, 2, 3), returns(1), loops(), empty()));
    drop((locks(Arc::default()), expects(1)));
}
