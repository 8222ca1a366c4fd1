//! So far, the function is neither `const` nor `extern`.

use timbal::runnable;

#[runnable]
const fn constant() {}

#[runnable]
async extern "C" fn foreign() {}

fn main() {}
