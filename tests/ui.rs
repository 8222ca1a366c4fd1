//! What the compiler says of a `#[runnable]` that is wrong, and that it says nothing of others.

use std::process::Command;

/// Messages are those of one compiler, so another one is not asked.
#[test]
fn messages() {
    let (wanted, running) = (pinned(), running());
    if wanted != running {
        eprintln!("skipped: the messages are those of rustc {wanted}, this is rustc {running}");
        return;
    }
    let cases = trybuild::TestCases::new();
    cases.compile_fail("ui/fail/*.rs");
    cases.pass("ui/pass/*.rs");
}

/// The `channel` of `rust-toolchain.toml`.
fn pinned() -> &'static str {
    let toolchain = include_str!("../rust-toolchain.toml");
    let channel = toolchain.lines().find_map(|line| line.strip_prefix("channel = "));
    channel.expect("the toolchain is pinned").trim_matches('"')
}

/// `1.95.0` of `rustc 1.95.0 (59807616e 2026-04-14)`.
fn running() -> String {
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".into());
    let version = Command::new(rustc).arg("--version").output().expect("there is a rustc").stdout;
    let version = String::from_utf8_lossy(&version);
    version.split(' ').nth(1).unwrap_or_default().to_owned()
}
