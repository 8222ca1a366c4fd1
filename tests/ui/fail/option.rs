//! There are so many options, each at most once.

use timbal::runnable;

#[runnable(nmae = "other")]
async fn slip() {}

#[runnable(skip_inputs, skip_output)]
async fn plural() {}

#[runnable(retry = 3)]
async fn unknown() {}

#[runnable("other")]
async fn literal() {}

#[runnable(name = "one", skip_input, name = "two")]
async fn twice() {}

#[runnable(skip_input skip_output)]
async fn without_comma() {}

fn main() {}
