//! `tracing` with `#[instrument(ret)]`, which captures the arguments and the output.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::{LookupSpan, Registry};

use super::{Failure, Recording, expect};
use crate::workload::{A, B, CHUNKS, Case, SUM, drain, numbers, workload};

/// No subscriber is installed.
pub(crate) struct Off;

impl Recording for Off {
    fn install() -> Result<Self, Failure> {
        Ok(Self)
    }

    fn run(case: Case) -> u64 {
        run(case)
    }
}

/// The calls as this file's attributes record them, for another subscriber.
pub(super) fn run_instrumented(case: Case) -> u64 {
    run(case)
}

/// A registry with one layer, which stores fields and times.
pub(crate) struct Stored(Spans);

impl Recording for Stored {
    fn install() -> Result<Self, Failure> {
        let spans = Spans::default();
        let subscriber = Registry::default().with(Store(spans.clone()));
        tracing::subscriber::set_global_default(subscriber)?;
        Ok(Self(spans))
    }

    fn run(case: Case) -> u64 {
        run(case)
    }

    fn settle(&mut self) -> Result<Option<u64>, Failure> {
        Ok(Some(self.0.with(|kept| kept.pushed)))
    }

    fn forget(&mut self) {
        self.0.take();
    }

    fn check(&mut self, case: Case) -> Result<(), Failure> {
        self.0.take();
        expect("the value", Self::run(case), case.value())?;
        let spans = self.0.take();
        expect("the number of spans", spans.len() as u64, case.calls())?;
        for (place, span) in spans.iter().rev().enumerate() {
            let output = if place == 0 { case.value() } else { SUM };
            let mut fields = vec![("a", Value::U64(A)), ("b", Value::U64(B))];
            if case == Case::Stream {
                fields.extend((0..CHUNKS).map(|n| ("n", Value::U64(n))));
            }
            fields.push(("return", Value::Text(output.to_string())));
            expect("the fields of a span", &span.fields, &fields)?;
            expect("whether a span is a root", span.parent.is_none(), place == 0)?;
        }
        Ok(())
    }
}

/// A span that has ended.
#[expect(dead_code, reason = "stored as every tracer would, and not read")]
struct Finished {
    name: &'static str,
    parent: Option<Id>,
    elapsed: Duration,
    fields: Vec<(&'static str, Value)>,
}

/// A span that has not.
struct Open {
    start: Instant,
    fields: Fields,
}

#[derive(Debug, PartialEq)]
enum Value {
    U64(u64),
    Text(String),
}

#[derive(Clone, Default)]
struct Spans(Arc<Mutex<Kept>>);

#[derive(Default)]
struct Kept {
    /// Of bounded size: a list that grows would copy what it holds.
    batches: Vec<Vec<Finished>>,
    pushed: u64,
}

const BATCH: usize = 256;

impl Kept {
    fn push(&mut self, span: Finished) {
        self.pushed += 1;
        match self.batches.last_mut() {
            Some(batch) if batch.len() < BATCH => batch.push(span),
            _ => {
                let mut batch = Vec::with_capacity(BATCH);
                batch.push(span);
                self.batches.push(batch);
            }
        }
    }
}

impl Spans {
    fn take(&self) -> Vec<Finished> {
        self.with(|kept| std::mem::take(&mut kept.batches)).into_iter().flatten().collect()
    }

    fn with<T>(&self, access: impl FnOnce(&mut Kept) -> T) -> T {
        access(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The layer: fields and the start go into the span, a finished span into the list.
struct Store(Spans);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Store {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut fields = Fields(Vec::with_capacity(3));
        attributes.record(&mut fields);
        span.extensions_mut().insert(Open { start: Instant::now(), fields });
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        if let Some(open) = span.extensions_mut().get_mut::<Open>() {
            values.record(&mut open.fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let Some(span) = context.event_span(event) else {
            return;
        };
        if let Some(open) = span.extensions_mut().get_mut::<Open>() {
            event.record(&mut open.fields);
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id) else {
            return;
        };
        let Some(open) = span.extensions_mut().remove::<Open>() else {
            return;
        };
        let finished = Finished {
            name: span.name(),
            parent: span.parent().map(|parent| parent.id()),
            elapsed: open.start.elapsed(),
            fields: open.fields.0,
        };
        self.0.with(|kept| kept.push(finished));
    }
}

struct Fields(Vec<(&'static str, Value)>);

impl Visit for Fields {
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.push((field.name(), Value::U64(value)));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.push((field.name(), Value::Text(format!("{value:?}"))));
    }
}

workload! {
    (a, b)
    root: #[tracing::instrument(ret)];
    call: #[tracing::instrument(ret)];
    run: std::convert::identity;
    stream: stream;
}

#[tracing::instrument(ret)]
async fn stream(a: u64, b: u64) -> u64 {
    drain(numbers(), |n| tracing::info!(n)).await
}
