//! What is asked of a call before its first poll: the same of every handle.

use std::sync::Arc;

use crate::Trace;
use crate::lifecycle::Lifecycle;
use crate::reader::{Reader, Spans};

/// The methods of a handle by which its call is set up.
macro_rules! settings {
    (impl [$($generics:tt)*] $handle:ty) => {
        /// What is asked of a call before its first poll.
        ///
        /// All of these panic if the call has been polled.
        impl<$($generics)*> $handle {
            /// Makes the call the root of a run that goes on from this one.
            pub fn parent_run(mut self, run_id: $crate::RunId) -> Self {
                let origin = self.lifecycle().settings().origin.get_or_insert($crate::run::Origin::OWN);
                *origin = origin.with_parent(run_id);
                self
            }

            /// Makes the call the root of a run of its own.
            pub fn detached(mut self) -> Self {
                self.lifecycle().settings().origin.get_or_insert($crate::run::Origin::OWN);
                self
            }

            /// Makes the call a child of a call in another process, and a part of that one's run.
            pub fn continues(mut self, parent: $crate::Traceparent) -> Self {
                let origin = self.lifecycle().settings().origin.get_or_insert($crate::run::Origin::OWN);
                *origin = origin.with_caller(parent.run_id(), parent.call_id());
                self
            }

            /// Makes the call the root of a run that this recorder records, and no other.
            pub fn recorded_by(mut self, timbal: &$crate::Timbal) -> Self {
                self.lifecycle().settings().recorder = Some(timbal.intake());
                self
            }

            /// Says something about the call. What its body says of the same key counts more.
            pub fn metadata<V: serde::Serialize>(
                mut self,
                key: impl Into<String>,
                value: V,
            ) -> Self {
                let key = key.into();
                let value = self.lifecycle().capture(&key, &value);
                self.lifecycle().settings().metadata.push((key, value));
                self
            }
        }
    };
}
pub(crate) use settings;

/// Gathers the spans of a call, for its trace; lets go of them when nobody will ask for it.
pub(crate) struct Gathered(Arc<Spans>);

impl Gathered {
    /// Asks for the spans of this call.
    pub(crate) fn of(lifecycle: &mut Lifecycle) -> Self {
        let spans = Spans::new();
        lifecycle.settings().reader = Some(Reader::Spans(Arc::clone(&spans)));
        Self(spans)
    }

    /// The trace of the call, which has ended.
    pub(crate) fn trace(&self) -> Trace {
        let spans = self.0.take().iter().map(|record| record.span()).collect();
        Trace::new(spans).expect("the call has ended, so there is its own span")
    }
}

impl Drop for Gathered {
    fn drop(&mut self) {
        drop(self.0.take());
    }
}
