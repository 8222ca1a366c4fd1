//! What tests do in a process of its own, which they may kill: `child COMMAND …`. It says on its
//! standard output what it has done, a line each.

use std::future::Future;
use std::io::{BufRead, Write, stdin, stdout};
use std::net::TcpListener;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::task::{Context, Waker};
use std::time::{Duration, Instant, SystemTime};

use futures::executor::block_on;
use timbal::{
    Batch, Clock, Durability, Filter, JsonlExporter, PostgresOptions, PostgresStore, RunId,
    SqliteStore, Status, Store, StoreError, Timbal, Timestamp, Trace, current, runnable,
};
use timbal_tests::{http, span};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["lock", file] => lock(file),
        ["open", file] => open(file),
        ["run", file] => run(file),
        ["put", file, first, runs, bytes] => {
            put(file, number(first), number(runs), number(bytes) as usize);
        }
        ["append", file] => append(file),
        ["acknowledge", file] => acknowledge(file),
        ["fails"] => fails(),
        ["never-answers"] => never_answers(),
        ["init"] => init(),
        ["commit", url] => commit(url),
        ["serve", url, name, next, hours_off] => serve(url, name, next, hours_off),
        ["spool", url, file, runs] => spool(url, file, number(runs)),
        _ => panic!("no such command: {arguments:?}"),
    }
}

fn number(text: &str) -> u64 {
    text.parse().expect("a number")
}

/// Fails if the reader is gone: then there is nothing to do any more.
fn say(line: &str) {
    writeln!(stdout(), "{line}").expect("somebody reads");
}

/// Waits for a line, or for the end of the input.
fn wait() {
    stdin().lock().read_line(&mut String::new()).expect("text");
}

/// Locks a database for as long as it is told nothing.
fn lock(file: &str) {
    let connection = rusqlite::Connection::open(file).expect("it opens");
    connection.execute_batch("BEGIN EXCLUSIVE").expect("nobody else writes");
    say("locked");
    wait();
}

/// Puts a run of which two calls are open, and waits.
fn open(file: &str) {
    let store = SqliteStore::open(file).expect("it opens");
    let ended = span(1, 3, 10);
    let running = [1, 2].map(|call| {
        let mut span = span(1, call, 10);
        span.status = Status::running();
        span
    });
    store.put(&Batch::from_iter([ended].into_iter().chain(running))).expect("it keeps them");
    say("put");
    wait();
}

#[runnable]
async fn outer() {
    inner().await
}

#[runnable]
async fn inner() {
    std::future::pending().await
}

/// Records a call that does not end, says its run when that can be read, and waits.
fn run(file: &str) {
    let timbal = Timbal::builder().store(SqliteStore::open(file).expect("it opens")).build();
    let mut call = std::pin::pin!(outer().recorded_by(&timbal));
    let mut cx = Context::from_waker(Waker::noop());
    assert!(call.as_mut().poll(&mut cx).is_pending());
    // The recorder tells of calls that have been open for a second.
    let all = Filter::new();
    let run = loop {
        let page = block_on(timbal.runs(&all)).expect("it can be read");
        match page.runs.first() {
            Some(run) if run.spans == 2 => break run.run_id,
            _ => std::thread::yield_now(),
        }
    };
    say(&run.to_string());
    wait();
}

/// Puts runs of three calls, each run in a batch of its own, and says what became of it.
fn put(file: &str, first: u64, runs: u64, bytes: usize) {
    let store = SqliteStore::open(file).expect("it opens");
    for run in first..first + runs {
        let batch = Batch::from_iter([3, 2, 1].map(|call| span(run, call, bytes)));
        match store.put(&batch) {
            Ok(()) => say(&format!("kept {run}")),
            Err(error) => say(&format!("failed {run}: {error}")),
        }
    }
}

#[runnable]
fn echo(text: String) -> String {
    text
}

/// Makes one run of 2,000 calls, and exits in an orderly way.
fn append(file: &str) {
    let timbal = Timbal::builder().exporter(JsonlExporter::open(file).unwrap()).build();
    let _guard = timbal.install().unwrap();
    block_on(timbal::call!("root", async {
        (0..2_000).for_each(|n| {
            echo(format!("{n}"));
        });
    }));
}

/// Makes runs until it is killed, and says of each when it ended: the microsecond, and its id.
fn acknowledge(file: &str) {
    let timbal = Timbal::builder().exporter(JsonlExporter::open(file).unwrap()).build();
    let _guard = timbal.install().unwrap();
    let start = Instant::now();
    loop {
        let run = block_on(timbal::call!("root", async {
            echo("a".repeat(100));
            current().unwrap().run_id()
        }));
        say(&format!("{} {run}", start.elapsed().as_micros()));
        std::thread::sleep(Duration::from_millis(1)); // a flood would be another command
    }
}

/// Keeps its spans in a store that fails three times.
fn fails() {
    struct Fails(AtomicU32);
    impl Store for Fails {
        fn put(&self, _: &Batch) -> Result<(), StoreError> {
            match self.0.fetch_add(1, Ordering::Relaxed) {
                0..3 => Err(StoreError::failed("no space left on device")),
                _ => Ok(()),
            }
        }
        fn trace(&self, _: RunId) -> Result<Option<Trace>, StoreError> {
            Ok(None)
        }
    }
    let timbal = Timbal::builder().store(Fails(AtomicU32::new(0))).build();
    let guard = timbal.install().unwrap();
    echo("a".into());
    drop(guard);
    say(&timbal.health().written.to_string());
}

/// Ends more calls than a store that never answers has a place for, from four threads, and exits.
fn never_answers() {
    struct Never(Mutex<Receiver<()>>, #[expect(dead_code)] Sender<()>);
    impl Store for Never {
        fn put(&self, _: &Batch) -> Result<(), StoreError> {
            self.0.lock().unwrap().recv().map_err(StoreError::failed)
        }
        fn trace(&self, _: RunId) -> Result<Option<Trace>, StoreError> {
            Ok(None)
        }
    }
    let (sender, receiver) = mpsc::channel();
    let store = Never(Mutex::new(receiver), sender);
    let timbal = Timbal::builder().store(store).flush_within(Duration::from_millis(300)).build();
    let guard = timbal.install().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..50_000).for_each(|_| drop(echo("a".repeat(1_000)))));
        }
    });
    let health = timbal.health();
    say(&format!("{} {} {}", health.queued, health.lost, health.written));
    say(&most_memory());
    drop(guard);
}

/// The most kilobytes that the process ever had, where the system says it.
fn most_memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.map_or("0".to_owned(), |line| line.trim().trim_end_matches(" kB").to_owned())
}

/// Puts runs for a server that is away, a batch each, and waits. The first is open for a while.
fn spool(url: &str, file: &str, runs: u64) {
    let store = PostgresOptions::new().spool(file).connect(url).expect("it has a spool");
    let mut open = span(1, 1, 10);
    open.status = Status::running();
    store.put(&Batch::from_iter([open])).expect("it is spooled");
    for run in 1..=runs {
        store.put(&Batch::from_iter([span(run, 1, 10)])).expect("it is spooled");
    }
    say(&store.spooled().to_string());
    wait();
}

/// A clock that is wrong by this many seconds.
struct Off(i64, Instant);

impl Clock for Off {
    fn wall(&self) -> Timestamp {
        let now = Timestamp::from(SystemTime::now()).as_nanos();
        Timestamp::from_nanos(now.saturating_add_signed(self.0 * 1_000_000_000))
    }

    fn monotonic(&self) -> Duration {
        self.1.elapsed()
    }
}

#[runnable]
async fn ask_next(address: &str) -> u64 {
    http::get(address)
}

#[runnable]
async fn think() -> u64 {
    timbal::usage("words", 1);
    21
}

/// Answers one request by a call that goes on from the asker's, and says first where it listens. It
/// thinks, and asks the next one if there is one.
fn serve(url: &str, name: &str, next: &str, hours_off: &str) {
    let store = PostgresStore::connect(url).expect("there is a server");
    let off = hours_off.parse::<i64>().expect("hours") * 3_600;
    let timbal = Timbal::builder().store(store).clock(Off(off, Instant::now())).build();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    say(&listener.local_addr().expect("it is bound").to_string());
    http::answer(&listener, |header| {
        let answered = timbal::call!(name, async {
            timbal::usage("answers", 1);
            let asked = if next == "-" { 0 } else { ask_next(next).await };
            think().await + asked
        });
        block_on(answered.recorded_by(&timbal).continues(header))
    });
    block_on(timbal.flush()).expect("it is written");
    wait();
}

#[runnable]
async fn committed(number: u64) -> timbal::RunId {
    for _ in 0..2 {
        think().await;
    }
    timbal::call!("last", async { number }).await;
    timbal::current().expect("it is recorded").run_id()
}

/// Records runs until it is killed, and says each that is acknowledged.
fn commit(url: &str) {
    let store = PostgresStore::connect(url).expect("there is a server");
    let durability = Durability::Committed { within: Duration::from_secs(600) };
    let timbal = Timbal::builder().store(store).durability(durability).build();
    for number in 0.. {
        let run = block_on(committed(number).recorded_by(&timbal));
        assert_eq!(timbal.health().uncommitted, 0);
        say(&run.to_string());
    }
}

/// Records a call as the environment says, and says its run, or why it cannot.
fn init() {
    match timbal::init() {
        Ok(_guard) => say(&block_on(committed(1)).to_string()),
        Err(error) => say(&error.to_string()),
    }
}
