//! `Open`: a call that has started and not ended.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::current::Entered;
use crate::folded::Folded;
use crate::held::Held;
use crate::item::Item;
use crate::open_call::OpenCall;
use crate::{ChunkEvent, Timestamp, counting_allocator, current, tell};

/// A call that has started and not ended, beside its body.
pub(super) struct Open {
    /// `None` while the body runs: then it is the current call of the thread.
    pub(super) call: Option<Held>,
    /// When the body was last entered or left.
    pub(super) clock: Timestamp,
    pub(super) busy_ns: u64,
    /// Of its polls; zero where nobody counts.
    pub(super) allocated: u64,
    pub(super) polls: u32,
    pub(super) is_kept: bool,
    /// What its items come to, from the first on.
    pub(super) folded: Option<Box<Folded>>,
}

impl Open {
    #[inline]
    pub(super) fn call(&self) -> &OpenCall {
        self.call.as_deref().expect("the body does not run")
    }

    /// The call gives an item; `probe` looks at it. Without a place it is not told, and does not count.
    #[inline]
    pub(super) fn item(&mut self, has_place: bool, probe: impl FnOnce(&mut Item<'_>)) {
        let call = self.call.as_deref().expect("the body does not run");
        let folded = self.folded.get_or_insert_default();
        let is_told = has_place && tell::is_heard(call);
        if is_told {
            folded.chunks.begin();
        }
        Item::look(call, folded, probe);
        if is_told {
            folded.chunks.tell(call);
        }
        if has_place {
            folded.count.add(self.clock);
        }
    }

    /// What the call's reader, who drives it, is to be told before anything else.
    pub(super) fn take_chunk(&mut self) -> Option<ChunkEvent> {
        let call = self.call.as_deref()?;
        self.folded.as_mut()?.chunks.take(call)
    }

    #[inline]
    pub(super) fn run<R>(&mut self, body: impl FnOnce() -> R) -> Result<R, Box<dyn Any + Send>> {
        // The first poll begins when the call does: one reading of the clock serves both.
        let begun = if self.polls == 1 { self.clock } else { self.call().run().now() };
        let allocated = counting_allocator::allocated();
        let entered = current::enter(self.call.take());
        // What came out is moved once, not kept while the body is left.
        match catch_unwind(AssertUnwindSafe(body)) {
            Ok(output) => {
                self.leave(entered, begun, allocated);
                Ok(output)
            }
            Err(panic) => {
                self.leave_cold(entered, begun, allocated);
                Err(panic)
            }
        }
    }

    #[cold]
    fn leave_cold(&mut self, entered: Entered, begun: Timestamp, allocated: u64) {
        self.leave(entered, begun, allocated);
    }

    #[inline(always)] // a call would cost half of what it does
    fn leave(&mut self, entered: Entered, begun: Timestamp, allocated: u64) {
        self.call = entered.leave();
        self.allocated += counting_allocator::allocated().wrapping_sub(allocated);
        self.clock = self.call().run().now();
        self.busy_ns += self.clock.nanos_since(begun);
    }
}
