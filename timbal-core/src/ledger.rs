//! `Ledger`: the calls of a recorder, from their start until they are written.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use crate::CallId;
use crate::bell::{Bell, Orders};
use crate::notes::{Notes, Used};
use crate::record::Record;
use crate::shard::{News, Page, Place, SHARDS, Shard, Sheet, own_shard};
use crate::sync::ShortLockGuard;

/// How long a call that ends waits at most while its shard is full. The first that waits in vain is
/// the last that waits, so that a store that never answers does not slow down what is recorded.
const FULL_WAIT: Duration = Duration::from_millis(100);

/// The calls of a recorder: those that are open, and those that have ended and wait to be written.
///
/// A call is entered once, noted in while it is open, and leaves with the writer. It stands in the
/// shard of the thread that entered it, so its start and its end take one lock each, which nearly
/// always nobody else wants. The writer takes what has ended from all shards at once; within a
/// shard the order of the ends is kept.
#[derive(Default)]
pub(crate) struct Ledger {
    shards: [Shard; SHARDS],
    pub(crate) bell: Bell,
}

/// What few calls leave behind when they end.
#[derive(Default)]
pub(crate) struct Left {
    /// What it and the calls below it used, if they used anything.
    pub(crate) usage: Option<Used>,
    /// For who wants one.
    pub(crate) copy: Option<Box<Record>>,
    /// There was no place for it.
    pub(crate) is_lost: bool,
}

impl Ledger {
    /// The ledger of all calls that no recorder records: nobody writes what has ended there.
    pub(crate) fn of_unrecorded() -> &'static Self {
        static UNRECORDED: LazyLock<Ledger> = LazyLock::new(|| {
            let ledger = Ledger::default();
            ledger.close();
            ledger
        });
        &UNRECORDED
    }

    /// Enters a call that starts.
    #[inline]
    pub(crate) fn enter(&self, id: CallId, write: impl FnOnce(&mut Sheet)) -> Place {
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
    ) -> Option<Box<Left>> {
        let shard = &self.shards[place.shard as usize];
        let mut page = shard.lock();
        if page.is_full() {
            page = self.wait_for_place(shard, page);
        }
        let mut sheet = page.open.remove(place.slot as usize);
        let record = sheet.record().expect("its handle ends it once");
        end(record);
        let calls = record.calls.saturating_add(1);
        let has_more = wants_copy || record.notes.is_some();
        let mut left = has_more.then(|| Left::of(record, wants_copy));
        let weight = record.weight();
        let far = match above {
            Some(above) if above.shard == place.shard => {
                if let Some(record) = page.open_call(above) {
                    record.calls = record.calls.saturating_add(calls);
                }
                None
            }
            above => above,
        };
        let news = page.keep(sheet, weight);
        drop(page); // before what was refused, whose drop may run long
        if let Some(news) = news {
            self.tell(news, &mut left);
        }
        if let Some(above) = far {
            self.note(above, |record| record.calls = record.calls.saturating_add(calls));
        }
        left
    }

    /// The writer is to know of what a shard keeps, or the call of what it does not.
    #[cold]
    fn tell(&self, news: News, left: &mut Option<Box<Left>>) {
        match news {
            News::First => self.bell.ring(false),
            News::HalfFull => self.bell.ring(true),
            News::Refused(sheet) => {
                left.get_or_insert_default().is_lost = true;
                drop(sheet);
            }
        }
    }

    /// Looks at all open calls, and may write something about them.
    pub(crate) fn visit(&self, mut see: impl FnMut(&mut Record)) {
        for shard in &self.shards {
            shard.visit(&mut see);
        }
    }

    #[cold]
    fn wait_for_place<'a>(
        &self,
        shard: &'a Shard,
        mut page: ShortLockGuard<'a, Page>,
    ) -> ShortLockGuard<'a, Page> {
        let deadline = Instant::now() + FULL_WAIT;
        // Others may take the place that this one was waiting for.
        while page.is_shut() && !page.is_stuck {
            drop(page);
            self.bell.ring(true);
            let has_place = shard.wait_for_place(deadline.duration_since(Instant::now()));
            page = shard.lock();
            page.is_stuck |= !has_place && page.is_shut();
        }
        page
    }

    /// Takes all calls that have ended, shard by shard: waits for the first, and then for others to
    /// gather; not beyond this moment if there are none.
    pub(crate) fn take(&self, until: Instant) -> Taken {
        let orders = self.bell.wait(until);
        Taken { shards: std::array::from_fn(|shard| self.shards[shard].take()), orders }
    }

    /// The writer is done with all that it took.
    pub(crate) fn finish(&self, taken: Taken) {
        for (shard, spare) in self.shards.iter().zip(taken.shards) {
            shard.give_back(spare);
        }
        self.bell.answer(taken.orders.answers);
    }

    /// Keeps no more calls that end. The writer writes what is there.
    pub(crate) fn close(&self) {
        for shard in &self.shards {
            shard.close();
        }
        self.bell.close();
    }

    /// How many calls have ended and were kept for the writer, and how many were not.
    pub(crate) fn count(&self) -> (u64, u64) {
        let (mut kept, mut refused) = (0, 0);
        for shard in &self.shards {
            let page = shard.lock();
            kept += page.taken + page.ended.len() as u64;
            refused += page.refused;
        }
        (kept, refused)
    }
}

impl Left {
    #[cold]
    fn of(record: &Record, wants_copy: bool) -> Box<Self> {
        let usage = record.notes.as_deref().and_then(Notes::used);
        let copy = wants_copy.then(|| Box::new(record.clone()));
        Box::new(Self { usage, copy, is_lost: false })
    }
}

/// What the writer took.
pub(crate) struct Taken {
    /// In the order of their ends.
    pub(crate) shards: [Vec<Sheet>; SHARDS],
    pub(crate) orders: Orders,
}

impl Taken {
    /// Whether nothing is left, and nothing will come.
    pub(crate) fn is_last(&self) -> bool {
        self.orders.is_closed && self.shards.iter().all(Vec::is_empty)
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Waker};

    use crate::{Timbal, annotate};

    /// Each open call as its path, its input, and what it used.
    fn open_calls(timbal: &Timbal) -> Vec<String> {
        let mut calls = Vec::new();
        timbal.intake().ledger.visit(|record| calls.push(record.clone()));
        calls.sort_by_key(|record| record.seq);
        let show =
            |event: crate::OutputEvent| format!("{} {} {:?}", event.path, event.input, event.usage);
        calls.iter().map(|record| show(record.output_event())).collect()
    }

    #[test]
    fn open_calls_are_there_with_their_inputs() {
        let timbal = Timbal::builder().build();
        let wait = |n: u64| async move {
            annotate::input(|input| input.field(",\"n\":", &n));
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
    fn calls_that_cannot_be_counted_stay_at_the_greatest_number() {
        let timbal = Timbal::builder().build();
        let own = timbal.clone();
        let call = crate::call!("root", async {
            own.intake().ledger.visit(|record| record.calls = u32::MAX);
            crate::call!("child", async {}).await;
            own.intake().ledger.visit(|record| assert_eq!(record.calls, u32::MAX));
        });
        let poll = pin!(call.recorded_by(&timbal)).poll(&mut Context::from_waker(Waker::noop()));
        assert!(poll.is_ready());
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
