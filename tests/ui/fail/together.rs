//! All that is wrong is said at once, and the function stays one that can be called.

use timbal::runnable;

#[runnable(nam = "", metadata(model = 'c'), fold = "none")]
async fn wrong(#[skip] #[redact] key: &str, #[skip] n: u8) -> u8 {
    n
}

async fn caller() -> u8 {
    wrong("key", 1).await
}

fn main() {
    let _ = caller();
}
