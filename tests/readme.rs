//! What the README shows of the examples is what they are, and what they print.

use std::path::Path;
use std::process::Command;

const README: &str = include_str!("../README.md");

/// The first code block after this line.
fn block(mark: &str) -> &'static str {
    let (_, after) = README.split_once(&format!("\n{mark}\n")).expect("the README has this line");
    let (_, code) = after.split_once("```").expect("a code block");
    let (code, _) = code.split_once("\n```").expect("the end of the block");
    code.split_once('\n').expect("the language of the block").1
}

/// The example without what it says about itself.
fn example(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name).with_extension("rs");
    let source = std::fs::read_to_string(path).unwrap();
    source
        .lines()
        .skip_while(|line| line.starts_with("//!") || line.is_empty())
        .collect::<Vec<_>>()
        .join("\n")
}

fn output(name: &str) -> String {
    // Cargo builds the examples beside the tests.
    let test = std::env::current_exe().unwrap();
    let path = test.parent().unwrap().with_file_name("examples").join(name);
    let output = Command::new(path).output().expect("cargo has built the example");
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

#[test]
fn shows_a_call() {
    assert_eq!(block("<!-- examples/hello.rs -->"), example("hello"));
    assert_eq!(block("<!-- its output -->"), output("hello"));
}

#[test]
fn shows_a_traceback() {
    assert_eq!(block("<!-- examples/traceback.rs -->"), example("traceback"));
    assert_eq!(block("<!-- its traceback -->"), output("traceback"));
}
