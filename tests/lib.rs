//! What the tests share: how events and traces are shown, a clock that stands still, ids that count.

use std::io::{self, Write};
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use timbal::{Builder, Clock, Event, StatusCode, Timbal, Timestamp};

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
pub async fn read_all(events: impl futures::Stream<Item = Event>) -> Vec<Event> {
    futures::StreamExt::collect(events).await
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
