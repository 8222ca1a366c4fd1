//! Metadata is identifiers and literals.

use timbal::runnable;

#[runnable(metadata)]
async fn nothing() {}

#[runnable(metadata = "fast")]
async fn value() {}

#[runnable(metadata("model" = "fast"))]
async fn key() {}

#[runnable(metadata(model = MODEL, size = 'c', count = 99_999_999_999_999_999_999, ratio = 1e999))]
async fn literals() {}

#[runnable(metadata(model = "fast", size = 1, model = "slow"))]
async fn twice() {}

const MODEL: &str = "fast";

fn main() {
    let _ = MODEL;
}
