//! Finished spans in a file, one a line.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use futures::executor::block_on;
use serde_json::value::RawValue;
use timbal::{Batch, Exporter, JsonlExporter, JsonlReader, Span, Timbal, runnable};

#[runnable]
fn echo(text: String) -> String {
    text
}

/// The spans of a call that makes so many calls.
fn spans(calls: usize) -> Vec<Span> {
    let root = timbal::call!("root", async {
        (0..calls).for_each(|n| {
            echo(format!("\u{0}\n\"text\" {n} \u{1f600}\u{2028}"));
        });
    });
    block_on(root.traced()).1.spans
}

/// What is read from a file, and how many lines are skipped.
fn read(path: &Path) -> (Vec<Span>, u64) {
    let mut reader = JsonlReader::open(path).unwrap();
    let spans = reader.by_ref().map(Result::unwrap).collect();
    (spans, reader.skipped())
}

/// The spans as they are when they were written and read.
fn json(spans: &[Span]) -> Vec<String> {
    spans.iter().map(|span| serde_json::to_string(span).unwrap()).collect()
}

fn append(path: &Path, text: &str) {
    OpenOptions::new().append(true).open(path).unwrap().write_all(text.as_bytes()).unwrap();
}

#[test]
fn what_is_exported_is_read_back() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("traces.jsonl");
    let timbal = Timbal::builder().exporter(JsonlExporter::open(&path).unwrap()).build();
    let root = timbal::call!("root", async { echo("a\nb".into()) });
    block_on(root.recorded_by(&timbal));
    block_on(timbal.flush()).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(text.lines().count(), 2);
    let (spans, skipped) = read(&path);
    assert_eq!((spans[0].path.as_str(), spans[1].path.as_str(), skipped), ("root.echo", "root", 0));
    assert_eq!(spans[0].input.as_json(), r#"{"text":"a\nb"}"#);
    assert_eq!(json(&spans), text.lines().collect::<Vec<_>>());
    assert_eq!((timbal.health().exported, timbal.health().not_exported), (2, 0));
}

#[test]
fn spans_of_any_text_are_lines() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("traces.jsonl");
    let exporter = JsonlExporter::open(&path).unwrap();
    let mut all = spans(10);
    // A payload that was JSON text before is kept as it was.
    all[0].output = serde_json::from_str::<Box<RawValue>>("{\n  \"a\": [\n1]\n}")
        .map(|raw| serde_json::from_str(raw.get()).unwrap())
        .unwrap();
    exporter.export(&all.iter().cloned().collect()).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 11);
    let (read, skipped) = read(&path);
    assert_eq!((read.len(), skipped), (11, 0));
    assert_eq!(json(&read)[1..], json(&all)[1..]);
    assert_eq!(read[0].output.to_value(), serde_json::json!({"a": [1]}));
}

#[test]
fn a_torn_line_is_skipped_and_harms_no_other() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("traces.jsonl");
    let all = spans(2);
    let batch = || all.iter().cloned().collect::<Batch>();
    JsonlExporter::open(&path).unwrap().export(&batch()).unwrap();
    let line = std::fs::read_to_string(&path).unwrap().lines().next().unwrap().to_owned();
    let torn = line.char_indices().map(|(at, _)| &line[..at]).filter(|torn| !torn.is_empty());
    let mut lines = 0;
    for torn in torn.step_by(50) {
        append(&path, torn);
        assert_eq!(read(&path).1, lines + 1); // as long as it is the last
        JsonlExporter::open(&path).unwrap().export(&batch()).unwrap();
        lines += 1;
        let (read, skipped) = read(&path);
        assert_eq!((read.len() as u64, skipped), ((lines + 1) * 3, lines));
    }
    assert!(lines > 5);
}

#[test]
fn what_is_no_span_is_skipped() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("traces.jsonl");
    JsonlExporter::open(&path).unwrap().export(&spans(0).into_iter().collect()).unwrap();
    append(&path, "\n  \n{}\n[1]\nnull\n{\"type\":\"START\"}\n");
    let deep = "[".repeat(1_000_000);
    append(&path, &format!("{deep}\n"));
    let file = &mut OpenOptions::new().append(true).open(&path).unwrap();
    file.write_all(b"\xff\xfe\x00\n").unwrap();
    JsonlExporter::open(&path).unwrap().export(&spans(0).into_iter().collect()).unwrap();
    let (read, skipped) = read(&path);
    assert_eq!((read.len(), skipped), (2, 6));
}

#[test]
fn a_file_that_cannot_be_read_is_an_error_once() {
    let dir = tempfile::tempdir().unwrap();
    assert!(JsonlExporter::open(dir.path()).is_err());
    let Ok(mut reader) = JsonlReader::open(dir.path()) else { return }; // it may fail here too
    assert!(reader.next().unwrap().is_err());
    assert!(reader.next().is_none());
}

#[cfg(unix)]
#[test]
fn only_its_owner_reads_the_file() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("traces.jsonl");
    JsonlExporter::open(&path).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_file_that_another_holds_is_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("traces.jsonl");
    let timbal = Timbal::builder().exporter(JsonlExporter::open(&path).unwrap()).build();
    let other = File::open(&path).unwrap();
    other.lock().unwrap();
    block_on(timbal::call!("root", async {}).recorded_by(&timbal));
    while timbal.health().written == 0 {
        std::thread::yield_now(); // the store is not held up
    }
    assert_eq!((timbal.health().exported, read(&path).0.len()), (0, 0));
    other.unlock().unwrap();
    block_on(timbal.flush()).unwrap();
    assert_eq!(read(&path).0.len(), 1);
}

#[test]
fn four_processes_append_to_one_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("traces.jsonl");
    let start = || {
        let mut child = Command::new(env!("CARGO_BIN_EXE_child"));
        child.arg("append").arg(&path).stdout(Stdio::null()).spawn().unwrap()
    };
    let processes: Vec<_> = (0..4).map(|_| start()).collect();
    for mut process in processes {
        assert!(process.wait().unwrap().success());
    }
    let (read, skipped) = read(&path);
    assert_eq!((read.len(), skipped), (4 * 2_001, 0));
    for run in read.chunk_by(|a, b| a.run_id == b.run_id) {
        assert!(run.is_sorted_by_key(|span| span.t1));
    }
}
