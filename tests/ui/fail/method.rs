//! What an option asks of a function has to be there, and a block is asked for as a whole.

use timbal::runnable;

struct Struct;

#[runnable(capture_self)]
async fn free() {}

#[runnable(opaque)]
fn value() -> u8 {
    1
}

impl Struct {
    #[runnable(capture_self)]
    async fn not_captured(&self) {}

    #[runnable(capture_self, skip_input)]
    async fn both(&self) {}
}

#[runnable(name = "all", fold = "list", usage = tokens)]
impl Struct {
    async fn one(&self) {}
}

trait Default_ {
    #[runnable]
    async fn overridden(&self) -> u8 {
        1
    }
}

impl Default_ for Struct {
    async fn overridden(&self) -> u8 {
        2
    }
}

fn main() {}
