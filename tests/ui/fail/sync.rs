//! So far, the function is `async`.

use timbal::runnable;

#[runnable]
fn value() -> u8 {
    1
}

#[runnable]
fn future() -> impl Future<Output = u8> {
    async { 1 }
}

fn main() {
    value();
    let _ = future();
}
