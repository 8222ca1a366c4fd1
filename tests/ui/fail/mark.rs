//! What is said of a parameter is short.

use timbal::runnable;

#[runnable]
async fn arguments(#[skip(all)] a: u8, #[redact = "***"] b: u8) {}

#[runnable]
async fn both(#[skip] #[redact] a: u8) {}

fn main() {}
