//! `Shard`: a part of the calls of a recorder, with a lock of its own.

use std::mem::ManuallyDrop;
use std::sync::PoisonError;
use std::time::Duration;

use slab::Slab;

use crate::CallId;
use crate::record::Record;
use crate::sync::{Condvar, Mutex, ShortLock, ShortLockGuard};

/// A model of it tries all that threads can do, which is a lot: it is smaller.
const IS_MODEL: bool = cfg!(all(test, timbal_loom));

/// How many threads start and end calls without ever waiting for each other.
pub(crate) const SHARDS: usize = if IS_MODEL { 2 } else { 8 };

/// How many ended calls, and how many bytes of them, may wait in a shard to be written.
const MAX_ENDED: usize = if IS_MODEL { 2 } else { 16_384 };
const MAX_BYTES: usize = 8 << 20;

/// A shard keeps so many sheets for calls to come, also if there have long been less.
const MIN_BLANK: usize = 512;

/// How many places are looked at before others may have the lock.
const LOOKED_AT: usize = 128;

/// On cache lines of its own, so that threads do not slow each other down.
#[derive(Default)]
#[repr(align(128))]
pub(crate) struct Shard {
    page: ShortLock<Page>,
    /// Calls that end wait here for a place.
    door: Mutex<()>,
    opened: Condvar,
}

/// What a record is written on. It passes from hand to hand and comes back, so that a record is
/// written once and never copied, to memory that was written before.
///
/// The writer had it last, on another core: who asked whether it is blank before writing on it would
/// wait for that. So nothing is dropped that is written over.
#[derive(Default)]
pub(crate) struct Sheet(Box<ManuallyDrop<Option<Record>>>);

/// What stands behind the lock of a shard.
#[derive(Default)]
pub(crate) struct Page {
    pub(crate) open: Slab<Sheet>,
    pub(crate) ended: Vec<Sheet>,
    pub(crate) blank: Vec<Sheet>,
    /// Of the ended calls.
    pub(crate) bytes: usize,
    /// How many the writer has taken, and how many it could not be given.
    pub(crate) taken: u64,
    pub(crate) refused: u64,
    /// A call has waited for a place in vain: until the writer comes, no other does.
    pub(crate) is_stuck: bool,
    pub(crate) is_closed: bool,
}

/// What is to be told of a shard that was given a call.
pub(crate) enum News {
    /// It is the first that waits.
    First,
    /// So many wait that the writer is to come at once.
    HalfFull,
    /// It is not kept.
    Refused(Sheet),
}

/// Where an open call stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) shard: u32,
    pub(crate) slot: u32,
    /// The slot of a call that has ended is given to another.
    pub(crate) id: CallId,
}

impl Shard {
    #[inline]
    pub(crate) fn lock(&self) -> ShortLockGuard<'_, Page> {
        self.page.lock()
    }

    /// Waits until there is a place, or nothing is kept any more; `false` if there is none in time.
    pub(crate) fn wait_for_place(&self, bound: Duration) -> bool {
        let door = self.door.lock().unwrap_or_else(PoisonError::into_inner);
        let is_shut = |(): &mut ()| self.lock().is_shut();
        let waited = self.opened.wait_timeout_while(door, bound, is_shut);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    /// There may be a place: who has just seen that there is none is waiting by now.
    fn open(&self) {
        drop(self.door.lock());
        self.opened.notify_all();
    }

    /// Keeps no more calls.
    pub(crate) fn close(&self) {
        self.lock().is_closed = true;
        self.open();
    }

    pub(crate) fn take(&self) -> Vec<Sheet> {
        let mut page = self.lock();
        (page.bytes, page.is_stuck) = (0, false);
        let ended = std::mem::take(&mut page.ended);
        page.taken += ended.len() as u64;
        drop(page);
        self.open();
        ended
    }

    /// Looks at the open calls. Calls start and end meanwhile.
    pub(crate) fn visit(&self, see: &mut impl FnMut(&mut Record)) {
        let mut first = 0;
        loop {
            let mut page = self.lock();
            if page.open.is_empty() || first >= page.open.capacity() {
                return;
            }
            let slots = first..page.open.capacity().min(first + LOOKED_AT);
            for slot in slots {
                let sheet = page.open.get_mut(slot);
                sheet.and_then(Sheet::record).into_iter().for_each(&mut *see);
            }
            first += LOOKED_AT;
        }
    }

    /// Takes back sheets on which nothing is written any more.
    pub(crate) fn give_back(&self, mut sheets: Vec<Sheet>) {
        let mut page = self.lock();
        // What a burst needed is not kept longer than until the next.
        let kept = sheets.len().max(MIN_BLANK).saturating_sub(page.blank.len());
        let spare = sheets.split_off(kept.min(sheets.len()));
        page.blank.append(&mut sheets);
        drop(page);
        drop(spare);
    }
}

impl Page {
    #[inline]
    pub(crate) fn open_call(&mut self, place: Place) -> Option<&mut Record> {
        let record = self.open.get_mut(place.slot as usize)?.record()?;
        (record.id == place.id).then_some(record)
    }

    /// Keeps a call that has ended for the writer, if it can.
    #[inline]
    pub(crate) fn keep(&mut self, sheet: Sheet, weight: usize) -> Option<News> {
        let (waiting, bytes) = (self.ended.len() + 1, self.bytes + weight);
        let is_news = waiting == 1 || waiting >= MAX_ENDED / 2 || bytes >= MAX_BYTES / 2;
        if self.is_closed || is_news && self.is_full() {
            self.refused += 1;
            return Some(News::Refused(sheet));
        }
        self.bytes = bytes;
        self.ended.push(sheet);
        if is_news { self.news() } else { None }
    }

    #[cold]
    fn news(&self) -> Option<News> {
        let waiting = self.ended.len();
        if waiting == MAX_ENDED / 2 || self.bytes >= MAX_BYTES / 2 {
            return Some(News::HalfFull);
        }
        (waiting == 1).then_some(News::First)
    }

    /// Whether who ends a call has to wait.
    pub(crate) fn is_shut(&self) -> bool {
        self.is_full() && !self.is_closed
    }

    #[inline]
    pub(crate) fn is_full(&self) -> bool {
        self.ended.len() >= MAX_ENDED || self.bytes >= MAX_BYTES
    }
}

impl Sheet {
    /// Writes on a sheet that is blank.
    #[inline]
    pub(crate) fn write(&mut self, record: Record) -> &mut Record {
        *self.0 = ManuallyDrop::new(Some(record));
        self.record().expect("it was written just now")
    }

    /// What stands on it.
    #[inline]
    pub(crate) fn record(&mut self) -> Option<&mut Record> {
        Option::as_mut(&mut self.0)
    }

    /// What stood on it; it is blank then.
    #[inline]
    pub(crate) fn take(&mut self) -> Option<Record> {
        Option::take(&mut self.0)
    }
}

impl Drop for Sheet {
    fn drop(&mut self) {
        drop(self.take());
    }
}

impl Place {
    /// Without the id.
    pub(crate) fn to_bits(self) -> u64 {
        u64::from(self.shard) << 32 | u64::from(self.slot)
    }

    pub(crate) fn from_bits(bits: u64, id: CallId) -> Self {
        Self { shard: (bits >> 32) as u32, slot: bits as u32, id }
    }
}

/// The shard of this thread.
#[cfg(not(all(test, timbal_loom)))]
#[inline]
pub(crate) fn own_shard() -> usize {
    use std::sync::atomic::{AtomicUsize, Ordering};

    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static SHARD: usize = NEXT.fetch_add(1, Ordering::Relaxed) % SHARDS;
    }
    SHARD.try_with(|shard| *shard).unwrap_or(0)
}

#[cfg(all(test, timbal_loom))]
pub(crate) use crate::loom_tests::own_shard;
