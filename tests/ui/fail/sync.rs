//! A value that cannot be captured, and a body of another type, where the function is not `async`.

use timbal::runnable;

struct Db;

#[runnable]
fn connect(url: &str) -> Option<Db> {
    (!url.is_empty()).then_some(Db)
}

#[runnable]
fn waits() -> u8 {
    async { 1 }.await
}

#[runnable]
fn mismatched() -> u8 {
    "text"
}

#[runnable]
fn forever() -> ! {
    loop {}
}

fn main() {}
