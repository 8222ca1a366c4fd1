//! What a user of `cargo run --example index` sees.
#![cfg(unix)]

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

#[test]
fn counts_a_directory() {
    let dir = directory("counts", &[("a.txt", "one two two"), ("sub/b.md", "two, three!")]);
    let seen = Seen::of(index().arg(&dir));
    assert_eq!((seen.code, &*seen.stderr), (0, ""));
    assert!(seen.has("2 of 2 files"), "{}", seen.stdout);
    assert!(seen.has("files: 2, unreadable: 0, words: 5, bytes: 22"), "{}", seen.stdout);
    assert!(seen.has("       3 two"), "{}", seen.stdout);
    assert_eq!(seen.lines_with("    read {\"path\":"), 2, "{}", seen.stdout);
}

#[test]
fn files_that_cannot_be_read_stop_nothing() {
    let dir = directory("unreadable", &[("fine.txt", "fine")]);
    fs::write(dir.join("picture.png"), b"\x89PNG\xff").unwrap();
    // A file that vanished after it was listed, and one that leads back to itself.
    symlink("nowhere", dir.join("vanished.txt")).unwrap();
    symlink("loop.txt", dir.join("loop.txt")).unwrap();

    let seen = Seen::of(index().arg(&dir));
    assert_eq!((seen.code, &*seen.stderr), (0, ""));
    assert!(seen.has("files: 4, unreadable: 3, words: 1, bytes: 4"), "{}", seen.stdout);
    assert_eq!(seen.lines_with("  cannot read `"), 3, "{}", seen.stdout);
    assert!(seen.has("stream did not contain valid UTF-8"), "{}", seen.stdout);
    assert!(seen.has("No such file or directory"), "{}", seen.stdout);
}

#[test]
fn many_files_make_few_lines() {
    let dir = directory("many", &[]);
    for place in 0..2_000 {
        fs::write(dir.join(format!("{place}.bin")), b"\xff").unwrap();
    }
    let seen = Seen::of(index().arg(&dir));
    assert_eq!(seen.code, 0, "{}", seen.stderr);
    assert!(seen.has("files: 2000, unreadable: 2000"), "{}", seen.stdout);
    assert!(seen.stdout.lines().count() < 100, "{}", seen.stdout);
}

#[test]
fn what_gitignore_names_is_left_out() {
    let dir = directory("ignored", &[(".gitignore", "*.log"), ("a.log", "a"), ("a.txt", "a")]);
    let seen = Seen::of(index().arg(&dir));
    assert!(seen.has("files: 1, unreadable: 0, words: 1, bytes: 1"), "{}", seen.stdout);
}

#[test]
fn an_empty_directory_has_no_words() {
    let seen = Seen::of(index().arg(directory("empty", &[])));
    assert_eq!((seen.code, &*seen.stderr), (0, ""));
    assert!(seen.has("files: 0, unreadable: 0, words: 0, bytes: 0"), "{}", seen.stdout);
}

#[test]
fn a_name_that_is_not_text_is_a_name() {
    let dir = directory("named", &[]).join(std::ffi::OsStr::from_bytes(b"\xff"));
    fs::create_dir(&dir).unwrap();
    fs::write(dir.join("a.txt"), "a").unwrap();
    let seen = Seen::of(index().arg(&dir));
    assert_eq!((seen.code, &*seen.stderr), (0, ""));
    assert!(seen.has("files: 1, unreadable: 0"), "{}", seen.stdout);
}

#[test]
fn a_missing_directory_is_an_error() {
    let seen = Seen::of(index().arg("no/such/place"));
    let said = "error: cannot open `no/such/place`: No such file or directory (os error 2)\n";
    assert_eq!((seen.code, &*seen.stderr), (1, said));
}

#[test]
fn a_file_is_not_a_directory() {
    let dir = directory("file", &[("a.txt", "")]);
    let seen = Seen::of(index().current_dir(dir).arg("a.txt"));
    assert_eq!((seen.code, &*seen.stderr), (1, "error: `a.txt` is not a directory\n"));
}

#[test]
fn unknown_arguments_show_the_usage() {
    for arguments in [&["--fast"][..], &["a", "b"], &["-"]] {
        let seen = Seen::of(index().args(arguments));
        assert_eq!((seen.code, &*seen.stdout), (2, ""), "{arguments:?}");
        assert!(seen.stderr.starts_with("usage: index [DIR]\n"), "{}", seen.stderr);
    }
}

#[test]
fn help_is_printed() {
    let seen = Seen::of(index().arg("--help"));
    assert_eq!((seen.code, &*seen.stderr), (0, ""));
    assert!(seen.stdout.starts_with("usage: index [DIR]\n"), "{}", seen.stdout);
}

#[test]
fn settings_that_are_not_understood_are_named() {
    let settings = [
        ("TIMBAL_LOG", "START,LOUD", "LOUD"),
        ("TIMBAL_LOG_FORMAT", "pretty", "pretty"),
        ("TIMBAL_STORE", "cassandra:9", "cassandra"),
    ];
    for (name, value, named) in settings {
        let dir = directory("settings", &[("a.txt", "a")]);
        let seen = Seen::of(index().env("TIMBAL_LOG", "OUTPUT").env(name, value).arg(dir));
        assert_eq!(seen.code, 1, "{name}={value}");
        assert_eq!(seen.stderr.lines().count(), 1, "{}", seen.stderr);
        assert!(
            seen.stderr.starts_with("error: ") && seen.stderr.contains(named),
            "{}",
            seen.stderr
        );
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let dir = directory("pipe", &[("a.txt", "a")]);
    let mut child = index().arg(dir).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), &*output.stderr), (Some(0), &b""[..]));
}

/// What a program printed, and how it ended.
struct Seen {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Seen {
    fn of(command: &mut Command) -> Self {
        let Output { status, stdout, stderr } = command.output().unwrap();
        let [stdout, stderr] = [stdout, stderr].map(|text| String::from_utf8(text).unwrap());
        Self { code: status.code().expect("no signal"), stdout, stderr }
    }

    fn has(&self, text: &str) -> bool {
        self.stdout.contains(text)
    }

    fn lines_with(&self, start: &str) -> usize {
        self.stdout.lines().filter(|line| line.starts_with(start)).count()
    }
}

/// The example, which `cargo test` has built beside this test.
fn index() -> Command {
    let test = std::env::current_exe().unwrap();
    let index = test.ancestors().nth(2).unwrap().join("examples/index");
    assert!(
        index.exists(),
        "`cargo test --test` builds no examples: say `cargo test -p timbal-examples`"
    );
    let mut command = Command::new(index);
    for setting in ["TIMBAL_LOG", "TIMBAL_LOG_FORMAT", "TIMBAL_STORE"] {
        command.env_remove(setting);
    }
    command
}

/// A new directory with these files.
fn directory(name: &str, files: &[(&str, &str)]) -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("index").join(name);
    let _if_there = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir).unwrap();
    for (file, text) in files {
        let file = dir.join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    dir
}
