//! Programs to run, each one idea: `cargo run --example NAME`.
