//! Each option takes what it takes.

use timbal::runnable;

#[runnable(name)]
async fn nothing() {}

#[runnable(name =)]
async fn half() {}

#[runnable(name = 5)]
async fn number() {}

#[runnable(name("other"))]
async fn list() {}

#[runnable(skip_input = true)]
async fn flag() {}

#[runnable(usage = "tokens")]
async fn string() {}

#[runnable(usage = tokens())]
async fn call() {}

#[runnable(crate = "timbal")]
async fn path() {}

fn main() {}
