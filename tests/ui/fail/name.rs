//! A name is a part of a path.

use timbal::runnable;

#[runnable(name = "")]
async fn nameless() {}

#[runnable(name = "index.read")]
async fn path() {}

#[runnable(name = "two\nlines")]
async fn lines() {}

fn main() {}
