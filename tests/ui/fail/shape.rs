//! What goes on after an `async fn` is done comes from a `fn`.

use timbal::runnable;

#[runnable]
async fn numbers() -> impl Iterator<Item = u8> {
    [1, 2].into_iter()
}

#[runnable]
async fn later() -> impl Future<Output = u8> {
    async { 1 }
}

fn main() {}
