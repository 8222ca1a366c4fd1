//! Recursion needs a box.

use timbal::runnable;

#[runnable]
async fn factorial(n: u64) -> u64 {
    if n == 0 { 1 } else { n * factorial(n - 1).await }
}

#[runnable]
async fn depth(nodes: Vec<Vec<u8>>) -> usize {
    match nodes.is_empty() {
        true => 0,
        false => {
            let rest = depth(nodes[1..].to_vec()).await;
            rest + 1
        }
    }
}

fn main() {}
