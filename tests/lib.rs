//! What the tests share: how events and traces are shown, a clock that stands still, ids that count,
//! workflows that are made up, and the rules that hold of all of them.

pub mod drops;
pub mod http;
pub mod plans;
pub mod private_server;
pub mod rules;
pub mod scratch;

use std::fs;
use std::io::{self, BufRead, BufReader, Lines, Write};
use std::path::PathBuf;
use std::pin::pin;
use std::process::{self, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use expect_test::Expect;
use futures::Stream;
use futures::executor::block_on;
use timbal::{
    Builder, CallId, Clock, Definition, Event, OutputEvent, Payload, RunId, Span, StartEvent,
    StatusCode, Timbal, Timestamp,
};

/// Events, a line each, without what differs from run to run.
pub fn show<'a>(events: impl IntoIterator<Item = &'a Event>) -> String {
    events.into_iter().map(|event| show_one(event) + "\n").collect()
}

fn show_one(event: &Event) -> String {
    match event {
        Event::Start(start) => format!("START  {}", start.path),
        Event::Chunk(chunk) => format!("CHUNK  {} {}", chunk.path, chunk.chunk),
        Event::Output(done) => {
            let end = match (&done.error, done.status.code) {
                (Some(error), _) => format!("!! {error}"),
                (None, StatusCode::Success) => format!("-> {}", done.output),
                (None, _) => format!("-- {}", done.status),
            };
            format!("OUTPUT {} {} {end}", done.path, done.input)
        }
        other => format!("{other:?}"),
    }
}

/// Reads all events of a call.
pub async fn read_all(events: impl Stream<Item = Event>) -> Vec<Event> {
    futures::StreamExt::collect(events).await
}

/// Holds the events of a call, and of those below it, against what was expected.
pub fn check(events: impl Stream<Item = Event>, expected: Expect) {
    expected.assert_eq(&show(&block_on(read_all(events))));
}

/// The same of the calls that this makes, in a call that is called `in`.
pub fn check_inside(body: impl Future, expected: Expect) {
    check(timbal::call!("in", skip_output, body).events(), expected);
}

/// What a stream of events comes to: the output of its call, and how that ended.
pub fn output(events: impl Stream<Item = Event>) -> String {
    let events = block_on(read_all(events));
    let Some(Event::Output(done)) = events.last() else { panic!("no Output: {events:?}") };
    format!("{} {}", done.output, done.status)
}

/// Polls a future so many times, and drops it.
pub fn poll_and_drop<F: Future>(times: usize, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..times {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return Some(output);
        }
    }
    None
}

/// A recorder without threads' and time's chances: its clock counts a millisecond a reading from
/// 2022-01-01, and its ids count from 1.
pub fn steady() -> Builder {
    let next = AtomicU64::new(1);
    Timbal::builder().clock(Steady::default()).ids(move || next.fetch_add(1, Ordering::Relaxed))
}

#[derive(Default)]
struct Steady(AtomicU64);

impl Clock for Steady {
    fn wall(&self) -> Timestamp {
        Timestamp::from_millis(1_640_995_200_000)
    }

    fn monotonic(&self) -> Duration {
        Duration::from_millis(self.0.fetch_add(1, Ordering::Relaxed))
    }
}

/// Remembers events, as a subscriber.
#[derive(Clone, Default)]
pub struct Heard(Arc<Mutex<Vec<Event>>>);

impl Heard {
    /// What was heard until now.
    pub fn show(&self) -> String {
        show(&*self.0.lock().unwrap())
    }

    /// The run of what was heard first.
    pub fn run_id(&self) -> RunId {
        self.0.lock().unwrap()[0].run_id()
    }
}

impl timbal::Subscriber for Heard {
    fn on_event(&self, event: &Event) {
        self.0.lock().unwrap().push(event.clone());
    }
}

/// Remembers what was written.
#[derive(Clone, Default)]
pub struct Paper(Arc<Mutex<Vec<u8>>>);

impl Paper {
    /// What was written until now.
    pub fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The span of a call of a run, with so many bytes of output. Call 1 made the others.
pub fn span(run: u64, call: u64, bytes: usize) -> Span {
    let path = if call == 1 { "work" } else { "work.part" };
    let call_id = CallId::from_u64(call).expect("calls are counted from 1");
    let mut start = StartEvent::new(run_id(run), call_id, path);
    start.parent_call_id = CallId::from_u64(1).filter(|root| *root != call_id);
    let mut done = OutputEvent::new(start, Timestamp::from_millis(1_640_995_200_000 + run));
    done.output = Payload::new(&"x".repeat(bytes));
    let mut span = Span::new(done, Definition::new("work"));
    span.seq = call;
    span
}

/// The id of a run of such spans.
pub fn run_id(run: u64) -> RunId {
    RunId::from_u128(u128::from(run) + 1).expect("it is not zero")
}

/// A new directory, which stays until the next time.
pub fn directory(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("it is running");
    let target = test.ancestors().nth(3).expect("tests are built in `target/debug/deps`");
    let directory = target.join("tmp").join(name);
    let _if_there = fs::remove_dir_all(&directory);
    fs::create_dir_all(&directory).expect("a directory can be made");
    directory
}

/// A process that does what `child.rs` says, and is killed with this.
pub struct Child {
    process: process::Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Child {
    /// Starts it: `program` is the test's `env!("CARGO_BIN_EXE_child")`.
    pub fn start(command: &mut Command) -> Self {
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().expect("it starts");
        let lines = BufReader::new(process.stdout.take().expect("it is piped")).lines();
        Self { process, lines }
    }

    /// The next line that it says; `None` when it has ended.
    pub fn line(&mut self) -> Option<String> {
        self.lines.next().map(|line| line.expect("text"))
    }

    /// Kills it in whatever it does, and gives what it had said and was not read.
    pub fn kill(mut self) -> Vec<String> {
        self.process.kill().expect("it has not been waited for");
        self.process.wait().expect("it was started");
        self.lines.by_ref().map(|line| line.expect("text")).collect()
    }

    /// Tells it to go on, and waits for its end.
    pub fn go_on(mut self) -> process::ExitStatus {
        drop(self.process.stdin.take());
        self.process.wait().expect("it was started")
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _if_it_lives = self.process.kill();
        let _ended = self.process.wait();
    }
}
