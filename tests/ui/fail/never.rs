//! `!` is no type that can be named.

use timbal::runnable;

#[runnable]
async fn forever() -> ! {
    loop {}
}

fn main() {}
