//! One run over three processes, which talk HTTP and write to one PostgreSQL server.

use std::process::Command;

use expect_test::expect;
use futures::executor::block_on;
use timbal::{PostgresStore, Timbal, Trace, runnable};
use timbal_tests::Child;
use timbal_tests::http;
use timbal_tests::scratch::Scratch;

#[runnable]
async fn ask(address: &str) -> u64 {
    timbal::usage("questions", 1);
    http::get(address)
}

/// A process that answers one request, and asks the next one for it.
fn serve(url: &str, name: &str, next: Option<&str>, hours_off: i64) -> (Child, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_child"));
    command.args(["serve", url, name, next.unwrap_or("-"), &hours_off.to_string()]);
    let mut child = Child::start(&mut command);
    let address = child.line().expect("it listens");
    (child, address)
}

/// The tree, with what each call used itself, and which process it was in.
fn show(trace: &Trace) -> String {
    let mut processes = Vec::new();
    let mut lines = vec![];
    let mut calls: Vec<_> = trace.root().map(|root| (0, root)).into_iter().collect();
    while let Some((depth, span)) = calls.pop() {
        let known = processes.iter().position(|process| *process == span.process);
        let number = known.unwrap_or_else(|| {
            processes.push(span.process.clone());
            processes.len() - 1
        });
        let (indent, path) = ("  ".repeat(depth), &span.path);
        let (usage, own) = (&span.usage, &span.usage_own);
        lines.push(format!("{indent}{path} -> {} {usage:?} own {own:?} in {number}", span.output));
        calls.extend(trace.children(span.call_id).rev().map(|child| (depth + 1, child)));
    }
    lines.join("\n") + "\n"
}

#[test]
fn one_run_over_three_processes_is_one_trace() {
    let Some(scratch) = Scratch::new() else { return };
    let url = scratch.url();
    // The clock of one is an hour ahead, that of the other an hour behind.
    let (last, address) = serve(&url, "count", None, -1);
    let (middle, address) = serve(&url, "answer", Some(&address), 1);
    let store = PostgresStore::connect(&url).unwrap();
    let timbal = Timbal::builder().store(store).build();
    let asked = timbal::call!("workflow", async { ask(&address).await + ask_here().await });
    let (sum, _) = block_on(asked.recorded_by(&timbal).traced());
    assert_eq!(sum, 46);
    assert!(middle.go_on().success() && last.go_on().success());

    let page = block_on(timbal.runs(&timbal::Filter::new())).unwrap();
    let [run] = &page.runs[..] else { panic!("one run: {page:?}") };
    assert_eq!((run.path.as_str(), run.spans), ("workflow", 8));
    let trace = block_on(timbal.trace(run.run_id)).unwrap().unwrap();
    expect![[r#"
        workflow -> 46 {"questions": 1} own {} in 0
          workflow.ask -> 42 {"questions": 1} own {"questions": 1} in 0
            answer -> 42 {"answers": 1, "words": 1} own {"answers": 1} in 1
              answer.ask_next -> 21 {} own {} in 1
                count -> 21 {"answers": 1, "words": 1} own {"answers": 1} in 2
                  count.think -> 21 {"words": 1} own {"words": 1} in 2
              answer.think -> 21 {"words": 1} own {"words": 1} in 1
          workflow.ask_here -> 4 {} own {} in 0
    "#]]
    .assert_eq(&show(&trace));
    let stats = block_on(timbal.stats(&timbal::StatsQuery::new())).unwrap();
    let words = stats.paths.iter().filter_map(|path| path.usage_own.get("words"));
    assert_eq!(words.sum::<u64>(), 2);
}

#[runnable]
async fn ask_here() -> u64 {
    4
}
