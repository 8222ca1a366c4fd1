//! What blocks its thread is no `async fn`, and borrows nothing.

use std::rc::Rc;

use timbal::runnable;

struct Struct;

#[runnable(blocking)]
async fn waits() {}

#[runnable(blocking)]
fn items() -> impl Iterator<Item = u8> {
    0..1
}

#[runnable(blocking)]
fn borrowed(text: &str, fixed: &'static str) -> usize {
    text.len() + fixed.len()
}

impl Struct {
    #[runnable(blocking)]
    fn method(&self) {}
}

#[runnable(blocking)]
fn local(n: Rc<u8>) -> u8 {
    *n
}

fn main() {}
