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
    let nobody = "00000000000000000000000000000000";
    for arguments in [
        &["--fast"][..],
        &["a", "b"],
        &["-"],
        &["--show"],
        &["--show", nobody],
        &["--history", "a"],
        &["--stats", "--history"],
        &["a", "--fast"],
        &["a", "--show"],
    ] {
        let seen = Seen::of(index().args(arguments));
        assert_eq!((seen.code, &*seen.stdout), (2, ""), "{arguments:?}");
        assert!(seen.stderr.starts_with("usage: index [DIR] "), "{}", seen.stderr);
    }
}

#[test]
fn help_is_printed() {
    let seen = Seen::of(index().arg("--help"));
    assert_eq!((seen.code, &*seen.stderr), (0, ""));
    assert!(seen.stdout.starts_with("usage: index [DIR] "), "{}", seen.stdout);
}

#[test]
fn settings_that_are_not_understood_are_named() {
    let settings = [
        ("TIMBAL_LOG", "START,LOUD", "LOUD"),
        ("TIMBAL_LOG_FORMAT", "pretty", "pretty"),
        ("TIMBAL_STORE", "cassandra:9", "cassandra"),
        ("TIMBAL_STORE", "mysql://me:secret@host/db", "\"mysql://***@host/db\""),
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
fn earlier_runs_are_listed_shown_and_counted() {
    let (state, dir) = (directory("state", &[]), directory("earlier", &[("a.txt", "one two")]));
    fs::write(dir.join("b.bin"), b"\xff").unwrap();
    let seen = |arguments: &[&str]| {
        let seen = Seen::of(index().env("XDG_STATE_HOME", &state).args(arguments));
        assert_eq!((seen.code, &*seen.stderr), (0, ""), "{arguments:?}");
        seen
    };
    assert_eq!(seen(&["--history"]).stdout, "there are no runs yet\n");
    for _ in 0..2 {
        seen(&[dir.to_str().unwrap()]);
    }
    assert!(state.join("timbal/index.db").is_file());

    let history = seen(&["--history"]);
    assert_eq!(history.stdout.lines().count(), 2, "{}", history.stdout);
    assert!(history.has("  index  success  ") && history.has(", 5 calls, 7 bytes, 2 words"));
    let run = history.stdout.split_whitespace().next().unwrap();
    let shown = seen(&["--show", run]);
    assert!(shown.stdout.starts_with("index {\"dir\":"), "{}", shown.stdout);
    assert_eq!(shown.lines_with("    read {\"path\":"), 2, "{}", shown.stdout);
    assert!(shown.has("The first that failed:\nTraceback (most recent call last):"));
    let stats = seen(&["--stats"]);
    let counted = stats.stdout.lines().find(|line| line.starts_with("index.count.read ")).unwrap();
    let words: Vec<_> = counted.split_whitespace().take(3).collect();
    assert_eq!(words, ["index.count.read", "4", "50.0%"]);
}

#[test]
fn a_directory_is_counted_before_runs_are_listed() {
    let (state, dir) = (directory("first", &[]), directory("then", &[("a.txt", "one two")]));
    for runs in 1..3 {
        let arguments = [dir.as_os_str(), "--history".as_ref()];
        let seen = Seen::of(index().env("XDG_STATE_HOME", &state).args(arguments));
        assert_eq!((seen.code, &*seen.stderr), (0, ""));
        let (counted, listed) = seen.stdout.split_once("\n\nrun ").unwrap();
        assert!(counted.contains("files: 1, "), "{counted}");
        let run = listed.split_whitespace().next().unwrap();
        let listed: Vec<_> = listed.lines().skip(2).collect();
        assert_eq!(listed.len(), runs);
        assert!(listed[0].starts_with(run), "{listed:?}");
    }
}

#[test]
fn a_run_that_is_not_there_is_an_error() {
    let state = directory("nothing", &[]);
    let run = "0197f4a89c4b7d3ea1f00c5e8a6b2d41";
    let seen = Seen::of(index().env("XDG_STATE_HOME", &state).args(["--show", run]));
    assert_eq!((seen.code, seen.stderr), (1, format!("error: there is no run {run}\n")));
}

#[test]
fn runs_are_kept_where_the_environment_says() {
    let dir = directory("kept", &[("a.txt", "a")]);
    let (file, state) = (dir.join("traces.db"), dir.join("state"));
    let store = format!("sqlite:{}", file.display());
    let seen = |store: &str, argument: &str| {
        let mut index = index();
        Seen::of(index.envs([("TIMBAL_STORE", store)]).env("XDG_STATE_HOME", &state).arg(argument))
    };
    assert_eq!(seen(&store, dir.to_str().unwrap()).code, 0);
    assert_eq!(seen(&store, "--history").stdout.lines().count(), 1);
    let url = format!("sqlite://{}", file.display());
    assert_eq!(seen(&url, "--history").stdout.lines().count(), 1);
    assert_eq!(seen("memory", "--history").stdout, "there are no runs yet\n");
    assert!(file.is_file() && !state.exists());

    let text = dir.join("a.txt");
    fs::write(&text, "no database ".repeat(1_000)).unwrap();
    let store = format!("sqlite:{}", text.display());
    let refused = seen(&store, "--history");
    assert_eq!(refused.code, 1);
    let said = format!("error: TIMBAL_STORE is {store:?}: `{}` is not a SQLite", text.display());
    assert!(refused.stderr.starts_with(&said), "{}", refused.stderr);
}

#[test]
fn a_place_where_nothing_can_be_kept_stops_nothing() {
    let dir = directory("unkept", &[("a.txt", "a")]);
    let seen = Seen::of(index().env("XDG_STATE_HOME", dir.join("a.txt")).arg(&dir));
    assert!(seen.code == 0 && seen.has("files: 1, unreadable: 0"), "{}", seen.stdout);
    assert!(seen.stderr.starts_with("note: runs are not kept: cannot make "), "{}", seen.stderr);
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
    command.env("XDG_STATE_HOME", Path::new(env!("CARGO_TARGET_TMPDIR")).join("index-state"));
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
