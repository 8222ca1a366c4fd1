//! The attribute stands on functions that have a body, and on `impl` blocks.

use timbal::runnable;

#[runnable]
struct Struct {
    field: u8,
}

#[runnable]
pub(crate) enum Enum {}

#[runnable]
mod module {}

#[runnable]
const CONSTANT: u8 = 1;

trait Trait {
    #[runnable]
    async fn declared();
}

fn main() {
    let _ = Struct { field: CONSTANT };
}
