//! timbal itself: `#[runnable]`, which captures the arguments and the output.

use futures::executor::block_on;
use timbal::{Guard, MemoryStore, Timbal};

use super::{Failure, Recording, expect};
use crate::workload::{A, B, Case, SUM, workload};

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
        let store = MemoryStore::new().with_max_spans(super::KEPT);
        Ok(Self(Timbal::builder().store(store).build().install()?))
    }

    fn run(case: Case) -> u64 {
        run(case)
    }

    fn settle(&mut self) -> Result<Option<u64>, Failure> {
        block_on(self.0.timbal().flush())?;
        let health = self.0.timbal().health();
        expect("the number of lost calls", health.lost, 0)?;
        Ok(Some(health.written))
    }

    fn check(&mut self, case: Case) -> Result<(), Failure> {
        let (value, seen) = match case {
            Case::Root => block_on(root(A, B).traced()),
            Case::Child => block_on(child(A, B).traced()),
            Case::Deep => block_on(deep(A, B).traced()),
            Case::FanOut => block_on(fan_out(A, B).traced()),
        };
        expect("the value", value, case.value())?;

        let trace = block_on(self.0.timbal().trace(seen.run_id))?.ok_or("there is no trace")?;
        expect("the number of spans", trace.spans.len() as u64, case.calls())?;
        for (place, span) in trace.spans.iter().enumerate() {
            let output = if place == 0 { case.value() } else { SUM };
            expect("the input", span.input.as_json(), &format!(r#"{{"a":{A},"b":{B}}}"#))?;
            expect("the output", span.output.as_json(), &output.to_string())?;
            expect("whether a span is a root", span.parent_call_id.is_none(), place == 0)?;
        }
        Ok(())
    }
}

workload! {
    (a, b)
    root: #[timbal::runnable];
    call: #[timbal::runnable];
    run: std::convert::identity;
}
