//! What recording takes at least: two readings of the clock, JSON in and out, and a lock.

use std::cell::{Cell, RefCell};
use std::sync::{LazyLock, Mutex, PoisonError};

use quanta::Clock;
use serde::Serialize;

use super::{Failure, Recording, expect};
use crate::workload::{A, B, Case, SUM, poll};

/// Writes down by hand what a call of this very function took and gave. It has no limits and no masks,
/// it knows neither streams nor errors, and a call that panics, or is dropped, or still runs is not
/// seen.
pub(crate) struct ByHand {
    taken: u64,
}

/// A call that has ended.
struct Span {
    name: &'static str,
    parent: u64,
    id: u64,
    t0: u64,
    t1: u64,
    input: Json,
    output: Json,
}

/// JSON text that is short.
struct Json {
    len: usize,
    bytes: [u8; 24],
}

#[derive(Serialize)]
struct Input {
    a: u64,
    b: u64,
}

static SPANS: Mutex<Vec<Span>> = Mutex::new(Vec::new());
static CLOCK: LazyLock<(Clock, u64)> = LazyLock::new(|| {
    let clock = Clock::new();
    let start = clock.raw();
    (clock, start)
});

thread_local! {
    static TEXT: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    static CURRENT: Cell<u64> = const { Cell::new(0) };
    static NEXT: Cell<u64> = const { Cell::new(1) };
}

impl Recording for ByHand {
    fn install() -> Result<Self, Failure> {
        LazyLock::force(&CLOCK);
        Ok(Self { taken: 0 })
    }

    fn run(case: Case) -> u64 {
        let (a, b) = std::hint::black_box((A, B));
        match case {
            Case::Root => poll(root(a, b)),
            _ => poll(child(a, b)),
        }
    }

    fn settle(&mut self) -> Result<Option<u64>, Failure> {
        self.forget();
        Ok(Some(self.taken))
    }

    fn forget(&mut self) {
        self.taken += take().len() as u64;
    }

    fn check(&mut self, case: Case) -> Result<(), Failure> {
        expect("the value", Self::run(case), case.value())?;
        let spans = take();
        self.taken += spans.len() as u64;
        expect("the number of spans", spans.len() as u64, case.calls())?;
        let root = spans.last().map_or(0, |root| root.id);
        for (place, span) in spans.iter().enumerate() {
            let is_root = place + 1 == spans.len();
            let (value, parent) = if is_root { (case.value(), 0) } else { (SUM, root) };
            let called = if is_root { case.name() } else { "add" };
            expect("the name", span.name, called)?;
            expect("the input", span.input.text(), r#"{"a":1,"b":2}"#)?;
            expect("the output", span.output.text(), value.to_string().as_str())?;
            expect("the parent", span.parent, parent)?;
            expect("whether times were taken", span.t1 >= span.t0 && span.t0 > 0, true)?;
        }
        Ok(())
    }
}

async fn root(a: u64, b: u64) -> u64 {
    recorded("root", Input { a, b }, async { std::hint::black_box(a) + std::hint::black_box(b) })
        .await
}

async fn child(a: u64, b: u64) -> u64 {
    let body = async {
        let mut sum = 0;
        for _ in 0..100 {
            sum += add(a, b).await;
        }
        sum
    };
    recorded("child", Input { a, b }, body).await
}

async fn add(a: u64, b: u64) -> u64 {
    recorded("add", Input { a, b }, async { std::hint::black_box(a) + std::hint::black_box(b) })
        .await
}

async fn recorded(name: &'static str, input: Input, body: impl Future<Output = u64>) -> u64 {
    let t0 = now();
    let input = Json::of(&input);
    let id = NEXT.replace(NEXT.get() + 1);
    let parent = CURRENT.replace(id);
    let value = body.await;
    CURRENT.set(parent);
    let output = Json::of(&value);
    let t1 = now();
    let span = Span { name, parent, id, t0, t1, input, output };
    SPANS.lock().unwrap_or_else(PoisonError::into_inner).push(span);
    value
}

/// Nanoseconds since recording began.
fn now() -> u64 {
    let (clock, start) = &*CLOCK;
    clock.delta_as_nanos(*start, clock.raw())
}

/// What was recorded since this was last asked.
fn take() -> Vec<Span> {
    std::mem::take(&mut *SPANS.lock().unwrap_or_else(PoisonError::into_inner))
}

impl Json {
    fn of(value: &impl Serialize) -> Self {
        TEXT.with_borrow_mut(|text| {
            text.clear();
            let mut json = Self { len: 0, bytes: [0; 24] };
            if serde_json::to_writer(&mut *text, value).is_ok() && text.len() <= json.bytes.len() {
                json.len = text.len();
                json.bytes[..text.len()].copy_from_slice(text);
            }
            json
        })
    }

    fn text(&self) -> &str {
        str::from_utf8(&self.bytes[..self.len]).unwrap_or_default()
    }
}
