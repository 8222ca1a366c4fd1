//! What only looks like a function that awaits itself is left alone.

#![deny(warnings)]

use std::pin::Pin;

use timbal::runnable;

mod other {
    pub async fn load(n: u8) -> u8 {
        n
    }
}

#[runnable]
async fn load(n: u8) -> u8 {
    other::load(n).await
}

#[runnable]
async fn pinned(n: u8) -> u8 {
    if n == 0 { 0 } else { Box::pin(pinned(n - 1)).await }
}

#[runnable]
async fn blocks(n: u8) -> u8 {
    if n == 0 {
        return 0;
    }
    let boxed: Pin<Box<dyn Future<Output = u8>>> = Box::pin(async move { blocks(n - 1).await });
    boxed.await
}

#[runnable]
async fn parameter(#[skip] parameter: impl AsyncFn(u8) -> u8) -> u8 {
    parameter(1).await
}

#[runnable]
async fn local(n: u8) -> u8 {
    let local = async |n: u8| n;
    local(n).await
}

#[runnable]
async fn nested(n: u8) -> u8 {
    async fn nested(n: u8) -> u8 {
        n
    }
    nested(n).await
}

struct Loader;

impl Loader {
    #[runnable(skip_output)]
    async fn new(n: u8) -> Self {
        load(n).await;
        Self
    }

    #[runnable]
    async fn load(&self, n: u8) -> u8 {
        load(n).await
    }
}

fn main() {
    drop((load(1), pinned(1), blocks(1), local(1), nested(1)));
    drop((parameter(async |n| n), Loader::new(1), Loader.load(1)));
}
