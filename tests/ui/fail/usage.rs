//! A `usage` that does not fit.

use timbal::runnable;

fn tokens(answer: &String) -> [(&'static str, u64); 1] {
    [("tokens", answer.len() as u64)]
}

fn signed(_: &u8) -> [(&'static str, i64); 1] {
    [("tokens", -1)]
}

#[runnable(usage = tokens)]
async fn number() -> u8 {
    1
}

#[runnable(usage = signed)]
async fn negative() -> u8 {
    1
}

#[runnable(usage = missing)]
async fn nowhere() -> u8 {
    1
}

fn main() {}
