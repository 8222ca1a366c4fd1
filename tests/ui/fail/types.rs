//! A type that is not there is said once.

use timbal::runnable;

#[runnable]
async fn missing(a: Absent) -> Nowhere {
    loop {}
}

#[runnable]
async fn lifetime(a: &str, b: &str) -> &str {
    a
}

fn main() {}
