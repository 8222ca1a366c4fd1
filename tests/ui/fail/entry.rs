//! `main` and tests are called by no call.

use timbal::runnable;

#[runnable]
#[tokio::main]
async fn below() {}

#[runnable]
#[tokio::test]
async fn test() {}

#[tokio::main]
#[runnable]
async fn main() {}
