//! `yield_!` stands in the body of a generator.

use timbal::{runnable, yield_};

async fn plain() {
    yield_!(1);
}

#[runnable(yields = u8)]
async fn inner() {
    yield_!(1);
    fn function() {
        yield_!(2);
    }
    async fn future() {
        yield_!(2);
    }
    function();
    future().await;
}

#[runnable(yields = u8)]
async fn closures() {
    (0..2).for_each(|n| yield_!(n));
    let later = || {
        yield_!(2);
    };
    later();
}

#[runnable(yields = u8)]
fn closures_now() {
    (0..2).for_each(|n| yield_!(n));
}

#[runnable(yields = u8)]
fn nothing() {
    yield_!();
}

fn main() {}
