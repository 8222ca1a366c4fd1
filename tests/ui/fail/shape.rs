//! So far, the function gives one value.

use timbal::runnable;

#[runnable]
async fn numbers() -> impl Iterator<Item = u8> {
    [1, 2].into_iter()
}

#[runnable]
async fn items() -> impl futures::Stream<Item = u8> + Unpin {
    futures::stream::empty()
}

#[runnable]
async fn later() -> impl Future<Output = u8> {
    async { 1 }
}

fn main() {}
