//! So far, the function is free.

use timbal::runnable;

struct Struct;

impl Struct {
    #[runnable]
    async fn by_reference(&self, #[skip] n: u8) -> u8 {
        n
    }

    #[runnable]
    async fn by_type(self: Box<Self>) {}
}

fn main() {}
