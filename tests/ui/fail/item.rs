//! The attribute stands on nothing but functions.

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
impl Struct {
    fn method(&self) {}
}

#[runnable]
const CONSTANT: u8 = 1;

trait Trait {
    #[runnable]
    async fn declared();
}

fn main() {
    let _ = Struct { field: CONSTANT };
}
