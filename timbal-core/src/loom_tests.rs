//! The queue between calls, readers and the writer, in every order in which threads can run:
//! `RUSTFLAGS="--cfg timbal_loom" cargo test -p timbal-core --lib --release loom_tests`.

use std::cell::Cell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use loom::future::block_on;
use loom::thread;

use crate::ledger::Ledger;
use crate::path::Path;
use crate::reader::{Inbox, Letter};
use crate::record::{Outcome, Record};
use crate::shard::Place;
use crate::sync::{Condvar, Mutex};
use crate::{CallId, RunId, StartEvent, Timestamp, definition};

/// Tries every order with at most so many threads interrupted in between.
fn model(preemptions: usize, threads: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.check(threads);
}

loom::thread_local! {
    /// The shard of a thread of the model: a test says which, so that it is the same every time.
    static SHARD: Cell<usize> = Cell::new(0);
}

pub(crate) fn own_shard() -> usize {
    SHARD.with(Cell::get)
}

/// A thread whose shard is the other one.
fn spawn_beside(body: impl FnOnce() + 'static) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        SHARD.with(|shard| shard.set(1));
        body();
    })
}

fn far() -> Instant {
    Instant::now() + Duration::from_secs(3_600)
}

fn enter(ledger: &Ledger, id: u64) -> Place {
    let path = Path { definition: definition!("call"), name: None, above: None };
    let run_id = RunId::from_u128(1).expect("it is not zero");
    let named = (run_id, path, CallId::new(id));
    ledger.enter(named.2, |sheet| {
        sheet.write(Record::open(named, 0, Timestamp::from_millis(0)));
    })
}

fn end(ledger: &Ledger, place: Place, above: Option<Place>) {
    ledger.end(place, above, false, |record| record.outcome = Outcome::Success);
}

/// What the writer has taken: of each call its id, and how many calls it says are below it.
#[derive(Default)]
struct Written {
    calls: Mutex<Vec<(u64, u32)>>,
    changed: Condvar,
}

impl Written {
    /// Does what the writer does, until the ledger is closed and empty.
    fn write(&self, ledger: &Ledger) {
        loop {
            let mut taken = ledger.take(far());
            let is_last = taken.is_last();
            let records = taken.shards.iter_mut().flatten().filter_map(|sheet| sheet.take());
            let calls = records.map(|record| (record.id.as_u64(), record.calls));
            self.calls.lock().unwrap().extend(calls);
            self.changed.notify_all();
            ledger.finish(taken);
            if is_last {
                return;
            }
        }
    }

    fn wait_for(&self, count: usize) {
        let is_waiting = |calls: &mut Vec<_>| calls.len() < count;
        let bound = Duration::from_secs(3_600);
        let calls = self.calls.lock().unwrap();
        drop(self.changed.wait_timeout_while(calls, bound, is_waiting));
    }

    fn sorted(&self) -> Vec<(u64, u32)> {
        let mut calls = self.calls.lock().unwrap().clone();
        calls.sort();
        calls
    }
}

/// A ledger and a writer on a thread of its own.
fn writer() -> (Arc<Ledger>, Arc<Written>, thread::JoinHandle<()>) {
    let (ledger, written) = (Arc::new(Ledger::default()), Arc::new(Written::default()));
    let own = (Arc::clone(&ledger), Arc::clone(&written));
    let thread = thread::spawn(move || own.1.write(&own.0));
    (ledger, written, thread)
}

#[test]
fn what_ended_before_a_flush_is_written_by_it() {
    model(3, || {
        let (ledger, written, writer) = writer();
        end(&ledger, enter(&ledger, 1), None);
        let asked = ledger.bell.ask();
        assert!(ledger.bell.wait_for(asked, far()));
        assert_eq!(written.sorted(), [(1, 0)]);
        ledger.close();
        writer.join().unwrap();
        assert_eq!(ledger.count(), (1, 0));
    });
}

/// Both threads end calls while the writer takes them, each in a shard of its own.
#[test]
fn no_call_is_lost_between_two_threads() {
    model(2, || {
        let (ledger, written, writer) = writer();
        let own = Arc::clone(&ledger);
        let other = spawn_beside(move || end(&own, enter(&own, 2), None));
        end(&ledger, enter(&ledger, 1), None);
        other.join().unwrap();
        ledger.close();
        writer.join().unwrap();
        assert_eq!((written.sorted(), ledger.count()), (vec![(1, 0), (2, 0)], (2, 0)));
    });
}

#[test]
fn the_writer_comes_without_being_asked() {
    model(3, || {
        let (ledger, written, writer) = writer();
        end(&ledger, enter(&ledger, 1), None);
        written.wait_for(1); // if nobody wakes the writer, this is a deadlock
        end(&ledger, enter(&ledger, 2), None);
        written.wait_for(2);
        ledger.close();
        writer.join().unwrap();
    });
}

#[test]
fn children_are_counted_on_whatever_thread_they_end() {
    model(3, || {
        let (ledger, written) = (Arc::new(Ledger::default()), Written::default());
        let root = enter(&ledger, 1);
        let own = Arc::clone(&ledger);
        let other = spawn_beside(move || end(&own, enter(&own, 2), Some(root)));
        end(&ledger, enter(&ledger, 3), Some(root));
        other.join().unwrap();
        end(&ledger, root, None);
        ledger.close();
        written.write(&ledger);
        assert_eq!(written.sorted(), [(1, 2), (2, 0), (3, 0)]);
    });
}

/// The same of a root that ends meanwhile: what comes later is not counted, and harms nobody.
#[test]
fn a_child_that_outlives_its_parent_is_written() {
    model(3, || {
        let (ledger, written) = (Arc::new(Ledger::default()), Written::default());
        let root = enter(&ledger, 1);
        let own = Arc::clone(&ledger);
        let other = spawn_beside(move || end(&own, enter(&own, 2), Some(root)));
        end(&ledger, root, None);
        other.join().unwrap();
        ledger.close();
        written.write(&ledger);
        assert!([vec![(1, 0), (2, 0)], vec![(1, 1), (2, 0)]].contains(&written.sorted()));
    });
}

/// Two places for ended calls, so that a third may find none: what is not kept is counted.
#[test]
fn what_finds_no_place_is_counted() {
    model(2, || {
        let (ledger, written, writer) = writer();
        for id in 1..=3 {
            end(&ledger, enter(&ledger, id), None);
        }
        ledger.close();
        end(&ledger, enter(&ledger, 4), None);
        writer.join().unwrap();
        let (kept, refused) = ledger.count();
        assert_eq!((kept + refused, written.sorted().len() as u64), (4, kept));
        assert!(refused >= 1); // the last came too late
    });
}

fn letter(n: u64) -> Letter {
    let run = RunId::from_u128(1).expect("it is not zero");
    Letter::Start(StartEvent::new(run, CallId::new(n), "call"))
}

#[test]
fn a_reader_and_its_call_wait_for_each_other() {
    model(3, || {
        let inbox = Arc::new(Inbox::new(1));
        let own = Arc::clone(&inbox);
        let call = thread::spawn(move || {
            for n in 1..=2 {
                block_on(std::future::poll_fn(|cx| own.poll_place(cx)));
                own.push(letter(n));
            }
        });
        for n in 1..=2 {
            let read = block_on(std::future::poll_fn(|cx| inbox.poll_next(cx)));
            assert_eq!(read.open().call_id(), CallId::new(n));
        }
        call.join().unwrap();
        assert!(inbox.next().is_none());
    });
}

#[test]
fn nobody_waits_for_a_reader_that_is_gone() {
    model(3, || {
        let inbox = Arc::new(Inbox::new(1));
        let calls = [1, 2].map(|n| {
            let own = Arc::clone(&inbox);
            thread::spawn(move || {
                block_on(std::future::poll_fn(|cx| own.poll_place(cx)));
                own.push(letter(n));
            })
        });
        inbox.abandon();
        calls.into_iter().for_each(|call| call.join().unwrap());
        assert!(inbox.next().is_none());
    });
}
