//! A parameter that cannot be captured.

use timbal::runnable;

struct Db;

#[runnable]
async fn find(id: u64, db: &Db) -> u64 {
    let Db = db;
    id
}

#[runnable]
async fn generic<T>(value: T) {
    drop(value);
}

fn main() {}
