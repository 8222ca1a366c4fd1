//! What is recorded is recorded when it runs, by code that is Rust.

use timbal::runnable;

#[runnable]
const fn constant() {}

#[runnable]
async extern "C" fn foreign() {}

#[runnable]
pub extern "C" fn exported() {}

fn main() {}
