//! Items are folded, and by something that fits; usage is taken by functions.

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

#[runnable(fold = add)]
fn hidden(add: String) -> impl Stream<Item = String> {
    stream::iter([add])
}

fn letters(word: &String) -> [(&'static str, u64); 1] {
    [("letters", word.len() as u64)]
}

#[runnable(usage = letters)]
async fn spell((letters, _): (String, u8)) -> String {
    letters
}

#[runnable(usage = self::letters)]
async fn spelled(letters: String) -> String {
    letters
}

fn main() {
    let _ = spelled;
}
