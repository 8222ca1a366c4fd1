//! `fastrace`, as its documentation says: `Span::root` at the root, `#[trace]` below it.

use std::sync::{Arc, Mutex, PoisonError};

use fastrace::collector::{Config, Reporter};
use fastrace::prelude::SpanRecord;

use super::{Failure, Recording, expect};
use crate::workload::{A, B, CHUNKS, Case};

/// Spans with a name and times, events with a name and a time; nothing is captured.
pub(crate) struct Spans(Store);

impl Recording for Spans {
    fn install() -> Result<Self, Failure> {
        Ok(Self(Store::install()))
    }

    fn run(case: Case) -> u64 {
        spans::run(case)
    }

    fn settle(&mut self) -> Result<Option<u64>, Failure> {
        Ok(Some(self.0.settle()))
    }

    fn forget(&mut self) {
        self.0.take();
    }

    fn check(&mut self, case: Case) -> Result<(), Failure> {
        self.0.check(case, Self::run, &[], &[])
    }
}

/// Spans with both arguments as properties, which are strings, and events with the chunk as one; the
/// output is not captured.
pub(crate) struct Properties(Store);

impl Recording for Properties {
    fn install() -> Result<Self, Failure> {
        Ok(Self(Store::install()))
    }

    fn run(case: Case) -> u64 {
        properties::run(case)
    }

    fn settle(&mut self) -> Result<Option<u64>, Failure> {
        Ok(Some(self.0.settle()))
    }

    fn forget(&mut self) {
        self.0.take();
    }

    fn check(&mut self, case: Case) -> Result<(), Failure> {
        let properties = [("a", A.to_string()), ("b", B.to_string())];
        self.0.check(case, Self::run, &properties, &["n"])
    }
}

/// Keeps the batches of spans that fastrace's collector thread hands over.
#[derive(Clone, Default)]
struct Store(Arc<Mutex<Kept>>);

#[derive(Default)]
struct Kept {
    batches: Vec<Vec<SpanRecord>>,
    reported: u64,
}

impl Store {
    fn install() -> Self {
        let store = Self::default();
        fastrace::set_reporter(store.clone(), Config::default());
        store
    }

    fn settle(&self) -> u64 {
        fastrace::flush();
        self.with(|kept| kept.reported)
    }

    fn take(&self) -> Vec<SpanRecord> {
        self.with(|kept| std::mem::take(&mut kept.batches)).into_iter().flatten().collect()
    }

    fn check(
        &self,
        case: Case,
        run: fn(Case) -> u64,
        properties: &[(&str, String)],
        of_chunk: &[&str],
    ) -> Result<(), Failure> {
        self.settle();
        self.take();
        expect("the value", run(case), case.value())?;
        self.settle();
        let spans = self.take();
        expect("the number of spans", spans.len() as u64, case.calls())?;
        for span in &spans {
            let is = span.properties.iter().map(|(key, value)| (&**key, value.to_string()));
            expect("the properties of a span", &*is.collect::<Vec<_>>(), properties)?;
            let chunks = if case == Case::Stream { CHUNKS } else { 0 };
            expect("the number of events", span.events.len() as u64, chunks)?;
            for event in &span.events {
                let is = event.properties.iter().map(|(key, _)| &**key);
                expect("the properties of an event", &*is.collect::<Vec<_>>(), of_chunk)?;
            }
        }
        Ok(())
    }

    fn with<T>(&self, access: impl FnOnce(&mut Kept) -> T) -> T {
        access(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Reporter for Store {
    fn report(&mut self, spans: Vec<SpanRecord>) {
        self.with(|kept| {
            kept.reported += spans.len() as u64;
            kept.batches.push(spans);
        });
    }
}

pub(super) use spans::bytes;

mod spans {
    use fastrace::future::{FutureExt, InSpan};
    use fastrace::prelude::{Event, LocalSpan, Span, SpanContext};

    use crate::workload::{drain, numbers};

    crate::workload::workload! {
        (a, b)
        root: ;
        call: #[fastrace::trace];
        run: rooted;
        stream: stream;
    }

    async fn stream(_a: u64, _b: u64) -> u64 {
        drain(numbers(), |_| LocalSpan::add_event(Event::new("chunk"))).await
    }

    fn rooted<F: Future>(future: F) -> InSpan<F> {
        future.in_span(Span::root("root", SpanContext::random()))
    }
}

mod properties {
    use fastrace::future::{FutureExt, InSpan};
    use fastrace::prelude::{Event, LocalSpan, Span, SpanContext};

    use crate::workload::{A, B, drain, numbers};

    crate::workload::workload! {
        (a, b)
        root: ;
        call: #[fastrace::trace(properties = { "a": "{a}", "b": "{b}" })];
        run: rooted;
        stream: stream;
    }

    async fn stream(_a: u64, _b: u64) -> u64 {
        let chunk = |n: u64| Event::new("chunk").with_property(|| ("n", n.to_string()));
        drain(numbers(), |n| LocalSpan::add_event(chunk(n))).await
    }

    fn rooted<F: Future>(future: F) -> InSpan<F> {
        let (a, b) = std::hint::black_box((A, B));
        let span = Span::root("root", SpanContext::random())
            .with_properties(|| [("a", a.to_string()), ("b", b.to_string())]);
        future.in_span(span)
    }
}
