//! What a function of an iterator returns is a call, and each item is captured.

use timbal::runnable;

struct Db;

#[runnable]
fn connect() -> impl Iterator<Item = Db> {
    [Db].into_iter()
}

#[runnable]
fn boxed() -> Box<dyn Iterator<Item = Db>> {
    Box::new([Db].into_iter())
}

#[runnable]
fn cloned() -> impl Iterator<Item = u8> + Clone {
    0..1
}

fn main() {
    let _ = boxed().next();
}
