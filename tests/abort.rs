//! A program that is built with `panic = "abort"` runs, and ends where it panics.

use std::path::{Path, PathBuf};
use std::process::Command;

const MANIFEST: &str = r#"
[package]
name = "abort"
edition = "2024"

[dependencies]
futures-executor = "0.3"
timbal = { path = "TIMBAL" }

[profile.dev]
panic = "abort"

[workspace]
"#;

const PROGRAM: &str = r#"
use futures_executor::block_on;

#[timbal::runnable]
async fn tenth(n: u32) -> Result<u32, String> {
    let tenth = n.checked_div(10).filter(|tenth| *tenth > 0).ok_or("too small")?;
    assert!(tenth < 9, "too large");
    Ok(tenth)
}

fn main() {
    std::panic::set_hook(Box::new(|panic| println!("the own hook: {:?}", panic.location().unwrap().line())));
    let _guard = timbal::init().unwrap();
    println!("{:?}", block_on(tenth(20)));
    println!("{}", block_on(tenth(2).collect()).error.unwrap().traceback());
    let _aborts = block_on(tenth(200).collect());
    println!("it goes on");
}
"#;

#[test]
fn a_program_that_aborts_runs_until_it_panics() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("abort");
    std::fs::create_dir_all(dir.join("src")).unwrap();
    let timbal = root.join("timbal");
    std::fs::write(dir.join("Cargo.toml"), MANIFEST.replace("TIMBAL", timbal.to_str().unwrap()))
        .unwrap();
    std::fs::write(dir.join("src/main.rs"), PROGRAM).unwrap();
    // The versions that are tested, and no look at a registry.
    std::fs::copy(root.join("Cargo.lock"), dir.join("Cargo.lock")).unwrap();

    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(&dir).env("CARGO_TARGET_DIR", dir.join("target"));
    let output = cargo.args(["run", "--quiet", "--offline"]).output().unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = stdout.lines().collect();
    let expected = [
        "Ok(2)",
        "Traceback (most recent call last):",
        "  src/main.rs:6:80, in tenth",
        "    n.checked_div(10).filter(|tenth| *tenth > 0).ok_or(\"too small\")?",
        "String: too small",
        "the own hook: 7",
    ];
    assert_eq!(lines, expected, "{}", String::from_utf8_lossy(&output.stderr));
    assert!(!output.status.success());
}
