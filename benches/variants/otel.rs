//! `tracing` with `#[instrument(ret)]`, bridged to OpenTelemetry's batch processor.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, SdkTracerProvider, SpanData, SpanExporter,
};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::Registry;

use super::{Failure, Recording, expect, tracing::run_instrumented};
use crate::workload::{CHUNKS, Case};

/// An exporter that drops what it is given.
pub(crate) struct Batched {
    provider: SdkTracerProvider,
    exported: Arc<Exported>,
}

/// What came to the exporter.
#[derive(Debug, Default)]
struct Exported {
    spans: AtomicU64,
    events: AtomicU64,
    attributes: AtomicU64,
}

impl Exported {
    fn counts(&self) -> [u64; 3] {
        [&self.spans, &self.events, &self.attributes].map(|count| count.load(Relaxed))
    }
}

/// Its own bound is 2,048 spans: a burst of calls that do nothing would lose most of its own.
const QUEUE: usize = 1 << 17;

impl Recording for Batched {
    fn install() -> Result<Self, Failure> {
        let exported = Arc::<Exported>::default();
        let config = BatchConfigBuilder::default().with_max_queue_size(QUEUE).build();
        let exporter = Dropping(Arc::clone(&exported));
        let processor = BatchSpanProcessor::builder(exporter).with_batch_config(config).build();
        let provider = SdkTracerProvider::builder()
            .with_max_events_per_span(u32::MAX)
            .with_span_processor(processor)
            .build();
        let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("timbal-bench"));
        ::tracing::subscriber::set_global_default(Registry::default().with(layer))?;
        Ok(Self { provider, exported })
    }

    fn run(case: Case) -> u64 {
        run_instrumented(case)
    }

    fn settle(&mut self) -> Result<Option<u64>, Failure> {
        self.provider.force_flush()?;
        Ok(Some(self.exported.counts()[0]))
    }

    fn check(&mut self, case: Case) -> Result<(), Failure> {
        self.settle()?;
        let before = self.exported.counts();
        expect("the value", Self::run(case), case.value())?;
        self.settle()?;
        let after = self.exported.counts();
        let [spans, events, attributes] = std::array::from_fn(|i| after[i] - before[i]);
        expect("the number of spans", spans, case.calls())?;
        // `ret` is an event of its own.
        let chunks = if case == Case::Stream { CHUNKS } else { 0 };
        expect("the number of events", events, case.calls() + chunks)?;
        expect("whether spans have attributes", attributes >= 2 * case.calls(), true)
    }
}

#[derive(Debug)]
struct Dropping(Arc<Exported>);

impl SpanExporter for Dropping {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let sum = |of: fn(&SpanData) -> usize| batch.iter().map(of).sum::<usize>() as u64;
        self.0.events.fetch_add(sum(|span| span.events.len()), Relaxed);
        self.0.attributes.fetch_add(sum(|span| span.attributes.len()), Relaxed);
        self.0.spans.fetch_add(batch.len() as u64, Relaxed);
        Ok(())
    }
}
