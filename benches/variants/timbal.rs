//! timbal itself: `#[runnable]`, which captures the arguments and the output.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use futures::executor::block_on;
use futures::stream::Stream;
use timbal::{Event, Guard, MemoryStore, Payload, Timbal, Trace};

use super::{Failure, Recording, expect};
use crate::workload::{A, B, CHUNKS, Case, SUM, drain, numbers, poll, workload};

/// No recorder is installed, and nobody reads.
pub(crate) struct Off;

impl Recording for Off {
    fn install() -> Result<Self, Failure> {
        Ok(Self)
    }

    fn run(case: Case) -> u64 {
        run(case)
    }
}

/// A recorder is installed, which keeps traces in memory.
pub(crate) struct Stored(Guard);

impl Recording for Stored {
    fn install() -> Result<Self, Failure> {
        Ok(Self(install(|builder| builder)?))
    }

    fn run(case: Case) -> u64 {
        run(case)
    }

    fn settle(&mut self) -> Result<Option<u64>, Failure> {
        settle(&self.0)
    }

    fn lost(&self) -> u64 {
        self.0.timbal().health().lost
    }

    fn check(&mut self, case: Case) -> Result<(), Failure> {
        check(&self.0, case)
    }
}

/// The same, and a subscriber hears every event.
pub(crate) struct Heard(Guard);

static HEARD: AtomicU64 = AtomicU64::new(0);

impl Recording for Heard {
    fn install() -> Result<Self, Failure> {
        let hear = |event: &Event| {
            if let Event::Chunk(_) = event {
                HEARD.fetch_add(1, Relaxed);
            }
        };
        Ok(Self(install(|builder| builder.subscriber(hear))?))
    }

    fn run(case: Case) -> u64 {
        run(case)
    }

    fn settle(&mut self) -> Result<Option<u64>, Failure> {
        settle(&self.0)
    }

    fn lost(&self) -> u64 {
        self.0.timbal().health().lost
    }

    fn check(&mut self, case: Case) -> Result<(), Failure> {
        HEARD.store(0, Relaxed);
        check(&self.0, case)?;
        expect("the number of chunks heard", HEARD.load(Relaxed), CHUNKS)
    }
}

/// The same, and a reader takes the events one by one; there is no subscriber.
pub(crate) struct Read(Guard);

impl Recording for Read {
    fn install() -> Result<Self, Failure> {
        Ok(Self(install(|builder| builder)?))
    }

    fn run(_only_streams: Case) -> u64 {
        let mut chunks = 0;
        poll(read(|chunk| chunks += u64::from(!chunk.as_json().is_empty())));
        chunks
    }

    fn settle(&mut self) -> Result<Option<u64>, Failure> {
        settle(&self.0)
    }

    fn lost(&self) -> u64 {
        self.0.timbal().health().lost
    }

    fn check(&mut self, case: Case) -> Result<(), Failure> {
        let mut numbers = Vec::new();
        poll(read(|chunk| numbers.push(chunk.get::<u64>().ok())));
        expect("what was read", numbers, (0..CHUNKS).map(Some).collect())?;
        check(&self.0, case)
    }
}

/// Reads a stream's events, and looks at each chunk.
async fn read(mut look: impl FnMut(&Payload)) {
    let mut events = stream(A, B).events();
    while let Some(event) = events.next().await {
        if let Event::Chunk(event) = event {
            look(&event.chunk);
        }
    }
}

/// Installs a recorder whose store keeps a bounded number of spans in memory. One that keeps them
/// elsewhere has a line of its own in the table.
fn install(with: impl FnOnce(timbal::Builder) -> timbal::Builder) -> Result<Guard, Failure> {
    let store = MemoryStore::new().with_max_spans(super::KEPT);
    Ok(with(Timbal::builder().store(store)).build().install()?)
}

fn settle(guard: &Guard) -> Result<Option<u64>, Failure> {
    block_on(guard.timbal().flush())?;
    Ok(Some(guard.timbal().health().written))
}

fn check(guard: &Guard, case: Case) -> Result<(), Failure> {
    let (value, seen) = match case {
        Case::Root => block_on(root(A, B).traced()),
        Case::Child => block_on(child(A, B).traced()),
        Case::Deep => block_on(deep(A, B).traced()),
        Case::FanOut => block_on(fan_out(A, B).traced()),
        Case::Yielding => block_on(yielding(A, B).traced()),
        Case::Stream => {
            let (items, trace) = block_on(stream(A, B).traced());
            (items.into_iter().sum(), trace)
        }
    };
    expect("the value", value, case.value())?;
    let trace = block_on(guard.timbal().trace(seen.run_id))?.ok_or("there is no trace")?;
    check_trace(case, &trace)
}

fn check_trace(case: Case, trace: &Trace) -> Result<(), Failure> {
    expect("the number of spans", trace.spans.len() as u64, case.calls())?;
    for (place, span) in trace.spans.iter().enumerate() {
        let output = match case {
            Case::Stream => serde_json::to_string(&(0..CHUNKS).collect::<Vec<_>>())?,
            _ if place == 0 => case.value().to_string(),
            _ => SUM.to_string(),
        };
        expect("the input", span.input.as_json(), &format!(r#"{{"a":{A},"b":{B}}}"#))?;
        expect("the output", span.output.as_json(), &output)?;
        expect("whether a span is a root", span.parent_call_id.is_none(), place == 0)?;
        let chunks = if case == Case::Stream { CHUNKS } else { 0 };
        expect("the number of chunks", span.chunks, chunks)?;
        expect("whether times were taken", span.elapsed_ns >= span.busy_ns, true)?;
    }
    Ok(())
}

workload! {
    (a, b)
    root: #[timbal::runnable];
    call: #[timbal::runnable];
    run: std::convert::identity;
    stream: drained;
}

#[timbal::runnable]
fn stream(a: u64, b: u64) -> impl Stream<Item = u64> {
    let _captured = (a, b);
    numbers()
}

async fn drained(a: u64, b: u64) -> u64 {
    drain(stream(a, b), |_| ()).await
}
