//! The attribute stands once.

use timbal::runnable;

#[runnable]
#[runnable(name = "other")]
async fn function() {}

fn main() {}
