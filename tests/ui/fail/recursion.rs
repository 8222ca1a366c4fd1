//! Recursion needs a box.

use timbal::runnable;

#[runnable]
async fn factorial(n: u64) -> u64 {
    if n == 0 { 1 } else { n * factorial(n - 1).await }
}

fn main() {}
