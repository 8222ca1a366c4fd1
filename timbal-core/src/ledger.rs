//! `Ledger`: the calls of a recorder, from their start until they are written.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::CallId;
use crate::notes::Notes;
use crate::record::Record;
use crate::shard::{Page, Place, SHARDS, Shard, Sheet, own_shard};

/// How long a call that ends waits at most while its shard is full. The first that waits in vain is
/// the last that waits, so that a store that never answers does not slow down what is recorded.
const FULL_WAIT: Duration = Duration::from_millis(100);

/// How long the writer lets ended calls gather after the first: it is woken at most that often,
/// unless a shard is half full.
const GATHER: Duration = Duration::from_millis(20);

/// The calls of a recorder: those that are open, and those that have ended and wait to be written.
///
/// A call is entered once, noted in while it is open, and leaves with the writer. It stands in the
/// shard of the thread that entered it, so its start and its end take one lock each, which nearly
/// always nobody else wants. The writer takes what has ended from all shards at once; within a
/// shard the order of the ends is kept.
#[derive(Default)]
pub(crate) struct Ledger {
    shards: [Shard; SHARDS],
    writer: Mutex<Writer>,
    /// The writer waits here for something to do.
    work: Condvar,
    /// Those who flush wait here for the writer.
    written: Condvar,
}

/// What the writer and those who wait for it know of each other.
#[derive(Default)]
struct Writer {
    has_work: bool,
    is_urgent: bool,
    is_closed: bool,
    /// How often the writer was asked to take what is there, and for which of these it has.
    asked: u64,
    answered: u64,
    counts: Counts,
}

/// What became of the calls that the writer took.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counts {
    pub(crate) taken: u64,
    pub(crate) written: u64,
    /// Given up on.
    pub(crate) failed: u64,
}

/// What a call leaves behind when it ends.
pub(crate) struct Left {
    /// What it and the calls below it used, if they used anything.
    pub(crate) usage: Option<BTreeMap<String, u64>>,
    /// For who wants one.
    pub(crate) copy: Option<Box<Record>>,
}

impl Ledger {
    /// A ledger without a writer: it keeps calls only while they are open.
    pub(crate) fn of_open_calls() -> Self {
        let ledger = Self::default();
        ledger.close();
        ledger
    }

    /// Enters a call that starts.
    #[inline]
    pub(crate) fn enter(&self, id: CallId, write: impl FnOnce(&mut Option<Record>)) -> Place {
        let shard = own_shard();
        let mut page = self.shards[shard].lock();
        let mut sheet = page.blank.pop().unwrap_or_default();
        write(&mut sheet);
        let slot = page.open.insert(sheet);
        // More than four billion open calls do not fit in memory.
        Place { shard: shard as u32, slot: slot as u32, id }
    }

    /// Looks at a call, or writes something about it; `None` if it has ended.
    pub(crate) fn note<R>(&self, place: Place, say: impl FnOnce(&mut Record) -> R) -> Option<R> {
        self.shards[place.shard as usize].lock().open_call(place).map(say)
    }

    /// Ends a call, counts it for the call above, and keeps it for the writer. Its handle does this
    /// once.
    #[inline]
    pub(crate) fn end(
        &self,
        place: Place,
        above: Option<Place>,
        wants_copy: bool,
        end: impl FnOnce(&mut Record),
    ) -> Left {
        let shard = &self.shards[place.shard as usize];
        let mut page = shard.lock();
        if page.is_full() {
            page = self.wait_for_place(shard, page);
        }
        let record = page.open_call(place).expect("its handle ends it once");
        end(record);
        let usage = record.notes.as_deref().and_then(Notes::used);
        let left = Left { usage, copy: wants_copy.then(|| Box::new(record.clone())) };
        let (weight, calls) = (record.weight(), 1 + record.calls);
        let sheet = page.open.remove(place.slot as usize);
        let is_near = |above: &Place| above.shard == place.shard;
        if let Some(record) = above.filter(is_near).and_then(|above| page.open_call(above)) {
            record.calls += calls;
        }
        let refused = page.keep(sheet, weight);
        let (is_first, is_half_full) = (page.ended.len() == 1, page.is_half_full());
        drop(page); // before what was refused, whose drop may run long
        if refused.is_none() && (is_first || is_half_full) {
            self.wake_writer(is_half_full);
        }
        if let Some(above) = above.filter(|above| !is_near(above)) {
            self.note(above, |record| record.calls += calls);
        }
        left
    }

    /// The open calls, as they are now.
    #[cfg_attr(not(test), expect(dead_code, reason = "nothing writes calls that are open yet"))]
    pub(crate) fn open_calls(&self) -> Vec<Record> {
        let open = |shard: &Shard| {
            let page = shard.lock();
            page.open.iter().filter_map(|(_, sheet)| Option::clone(sheet)).collect::<Vec<_>>()
        };
        self.shards.iter().flat_map(open).collect()
    }

    #[cold]
    fn wait_for_place<'a>(
        &self,
        shard: &'a Shard,
        page: MutexGuard<'a, Page>,
    ) -> MutexGuard<'a, Page> {
        if page.is_stuck {
            return page;
        }
        self.wake_writer(true);
        let is_full = |page: &mut Page| page.is_full() && !page.is_closed;
        let waited = shard.place.wait_timeout_while(page, FULL_WAIT, is_full);
        let (mut page, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
        page.is_stuck = timeout.timed_out();
        page
    }

    #[cold]
    fn wake_writer(&self, is_urgent: bool) {
        let mut writer = self.lock_writer();
        writer.has_work = true;
        writer.is_urgent |= is_urgent;
        drop(writer);
        self.work.notify_one();
    }

    /// Takes all calls that have ended, shard by shard: waits for the first, and then for others to
    /// gather. `None` if the ledger is closed and nothing is left.
    pub(crate) fn take(&self) -> Option<Taken> {
        let mut writer = self.lock_writer();
        while !writer.has_work && writer.asked == writer.answered && !writer.is_closed {
            writer = self.work.wait(writer).unwrap_or_else(PoisonError::into_inner);
        }
        let has_time = |writer: &mut Writer| {
            !writer.is_urgent && writer.asked == writer.answered && !writer.is_closed
        };
        let gathered = self.work.wait_timeout_while(writer, GATHER, has_time);
        writer = gathered.unwrap_or_else(PoisonError::into_inner).0;
        (writer.has_work, writer.is_urgent) = (false, false);
        let (answers, is_closed) = (writer.asked, writer.is_closed);
        drop(writer);
        let shards: [_; SHARDS] = std::array::from_fn(|shard| self.shards[shard].take());
        let calls = shards.iter().map(Vec::len).sum::<usize>();
        self.lock_writer().counts.taken += calls as u64;
        if is_closed && calls == 0 {
            self.answer(answers);
            return None;
        }
        Some(Taken { shards, answers })
    }

    /// The writer is done with this many calls that it took.
    pub(crate) fn done(&self, calls: usize, is_written: bool) {
        let counts = &mut self.lock_writer().counts;
        let count = if is_written { &mut counts.written } else { &mut counts.failed };
        *count += calls as u64;
    }

    /// The writer is done with all that it took.
    pub(crate) fn finish(&self, taken: Taken) {
        for (shard, spare) in self.shards.iter().zip(taken.shards) {
            shard.give_back(spare);
        }
        self.answer(taken.answers);
    }

    fn answer(&self, answers: u64) {
        self.lock_writer().answered = answers;
        self.written.notify_all();
    }

    /// The writer waits before it tries again; `false` if the ledger was closed meanwhile.
    pub(crate) fn pause(&self, pause: Duration) -> bool {
        let is_open = |writer: &mut Writer| !writer.is_closed;
        let waited = self.work.wait_timeout_while(self.lock_writer(), pause, is_open);
        !waited.unwrap_or_else(PoisonError::into_inner).0.is_closed
    }

    /// Asks the writer to write what has ended until now: [`wait_for`](Self::wait_for) this.
    pub(crate) fn ask(&self) -> u64 {
        let mut writer = self.lock_writer();
        writer.asked += 1;
        let asked = writer.asked;
        drop(writer);
        self.work.notify_one();
        asked
    }

    /// Waits until the writer has done what it was asked, or until the deadline; `false` if it has
    /// not.
    pub(crate) fn wait_for(&self, asked: u64, deadline: Instant) -> bool {
        let bound = deadline.saturating_duration_since(Instant::now());
        let is_behind = |writer: &mut Writer| writer.answered < asked;
        let waited = self.written.wait_timeout_while(self.lock_writer(), bound, is_behind);
        waited.unwrap_or_else(PoisonError::into_inner).0.answered >= asked
    }

    /// Keeps no more calls that end. The writer writes what is there.
    pub(crate) fn close(&self) {
        for shard in &self.shards {
            shard.lock().is_closed = true;
            shard.place.notify_all();
        }
        self.lock_writer().is_closed = true;
        self.work.notify_all();
    }

    /// How many calls have ended and are not written, what became of the others that the writer
    /// took, and how many it could not be given.
    pub(crate) fn count(&self) -> (u64, Counts, u64) {
        let (mut waiting, mut refused) = (0, 0);
        for shard in &self.shards {
            let page = shard.lock();
            waiting += page.ended.len() as u64;
            refused += page.refused;
        }
        let counts = self.lock_writer().counts;
        (waiting + counts.taken - counts.written - counts.failed, counts, refused)
    }

    fn lock_writer(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the writer took.
pub(crate) struct Taken {
    /// In the order of their ends.
    pub(crate) shards: [Vec<Sheet>; SHARDS],
    answers: u64,
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Waker};

    use crate::{Timbal, annotate};

    /// Each open call as its path, its input, and what it used.
    fn open_calls(timbal: &Timbal) -> Vec<String> {
        let mut calls = timbal.intake().ledger.open_calls();
        calls.sort_by_key(|record| record.seq);
        let show =
            |event: crate::OutputEvent| format!("{} {} {:?}", event.path, event.input, event.usage);
        calls.iter().map(|record| show(record.output_event())).collect()
    }

    #[test]
    fn open_calls_are_there_with_their_inputs() {
        let timbal = Timbal::builder().build();
        let wait = |n: u64| async move {
            annotate::input(|input| input.field("n", &n));
            annotate::usage("waits", n);
            std::future::pending::<()>().await;
        };
        let root = async {
            let (first, second) = (crate::call!("first", wait(1)), crate::call!("second", wait(2)));
            futures::future::join(first, second).await
        };
        let mut root = Box::pin(crate::call!("root", root).recorded_by(&timbal));
        assert!(root.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        let expected = [
            "root null {}",
            r#"root.first {"n":1} {"waits": 1}"#,
            r#"root.second {"n":2} {"waits": 2}"#,
        ];
        assert_eq!(open_calls(&timbal), expected);
        drop(root);
        assert!(open_calls(&timbal).is_empty());
    }

    #[test]
    fn a_call_is_open_from_the_head_of_its_body() {
        let timbal = Timbal::builder().build();
        let own = timbal.clone();
        let call = crate::call!("busy", async {
            assert_eq!(open_calls(&own), ["busy null {}"]);
        });
        let poll = pin!(call.recorded_by(&timbal)).poll(&mut Context::from_waker(Waker::noop()));
        assert!(poll.is_ready());
    }
}
