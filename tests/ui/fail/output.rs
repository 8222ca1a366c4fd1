//! An output that cannot be captured.

use timbal::runnable;

struct Db;

#[runnable]
async fn connect(url: &str) -> Option<Db> {
    (!url.is_empty()).then_some(Db)
}

#[runnable]
async fn try_connect() -> Result<Db, std::io::Error> {
    Ok(Db)
}

fn main() {}
