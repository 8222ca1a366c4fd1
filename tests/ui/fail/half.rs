//! What is half typed is a function still: those who call it hear nothing.

use timbal::runnable;

#[runnable]
async fn body(text: String) -> usize {
    let length = ;
    text.
}

#[runnable]
fn parameter(text: ) -> usize {
    1
}

#[runnable(nam)]
async fn option(#[skip] n: u8) -> u8 {
    n
}

async fn caller() -> usize {
    body(String::new()).await + parameter(1) + option(1).await as usize
}

fn main() {}
