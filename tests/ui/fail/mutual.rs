//! Recursion by way of others is found by rustc.

use timbal::runnable;

#[runnable]
async fn is_even(n: u64) -> bool {
    if n == 0 { true } else { is_odd(n - 1).await }
}

#[runnable]
async fn is_odd(n: u64) -> bool {
    if n == 0 { false } else { is_even(n - 1).await }
}

struct Tree(Vec<Tree>);

impl Tree {
    #[runnable]
    async fn depth(&self) -> usize {
        let mut depth = 0;
        for child in &self.0 {
            depth = depth.max(child.depth().await);
        }
        depth + 1
    }
}

fn main() {}
