//! `#[runnable]`.
