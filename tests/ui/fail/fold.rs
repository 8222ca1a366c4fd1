//! Items are folded, and by something that fits.

use futures::Stream;
use futures::stream;
use timbal::runnable;

#[runnable(fold = "list")]
async fn value() -> u8 {
    1
}

#[runnable(fold = "sum")]
fn word() -> impl Stream<Item = u8> {
    stream::iter([1])
}

#[runnable(fold)]
fn nothing() -> impl Stream<Item = u8> {
    stream::iter([1])
}

#[runnable(fold = "list", skip_output)]
fn skipped() -> impl Stream<Item = u8> {
    stream::iter([1])
}

fn add(sum: &mut String, text: &String) {
    sum.push_str(text);
}

#[runnable(fold = add)]
fn other_type() -> impl Stream<Item = u8> {
    stream::iter([1])
}

fn main() {}
