//! `MemoryStore`: the last runs, in memory.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::store::{Batch, Item, Store, StoreError};
use crate::{RunId, Trace};

/// Keeps the last runs in memory, within bounds. Its clones are the same store.
///
/// When there are too many spans or bytes, the run goes whose first span came first. A single run
/// that is too large loses the spans that ended first. [`evicted`](Self::evicted) counts both.
///
/// # Examples
///
/// ```
/// use timbal_core::{MemoryStore, Timbal};
///
/// let store = MemoryStore::new().with_max_spans(1_000).with_max_bytes(1 << 20);
/// let timbal = Timbal::builder().store(store.clone()).build();
/// assert_eq!(store.len(), 0);
/// # drop(timbal);
/// ```
#[derive(Clone)]
pub struct MemoryStore {
    max_spans: usize,
    max_bytes: usize,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    runs: HashMap<RunId, VecDeque<Item>>,
    /// In the order of their first spans.
    order: VecDeque<RunId>,
    spans: usize,
    bytes: usize,
    evicted: u64,
}

impl MemoryStore {
    /// A store of at most 100,000 spans and 64 MiB.
    pub fn new() -> Self {
        Self { max_spans: 100_000, max_bytes: 64 << 20, state: Arc::default() }
    }

    /// Keeps at most this many spans.
    #[must_use]
    pub fn with_max_spans(self, max_spans: usize) -> Self {
        Self { max_spans, ..self }
    }

    /// Keeps at most about this many bytes: of the spans, their payloads, errors and metadata.
    #[must_use]
    pub fn with_max_bytes(self, max_bytes: usize) -> Self {
        Self { max_bytes, ..self }
    }

    /// How many spans are kept.
    pub fn len(&self) -> usize {
        self.lock().spans
    }

    /// Whether no span is kept.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many bytes are kept, as [`with_max_bytes`](Self::with_max_bytes) counts them.
    pub fn bytes(&self) -> usize {
        self.lock().bytes
    }

    /// How many spans went to make room for others.
    pub fn evicted(&self) -> u64 {
        self.lock().evicted
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut debug = f.debug_struct("MemoryStore");
        debug.field("spans", &self.len()).field("bytes", &self.bytes()).finish_non_exhaustive()
    }
}

impl Store for MemoryStore {
    fn put(&self, batch: &Batch) -> Result<(), StoreError> {
        let mut evicted = Vec::new();
        let mut state = self.lock();
        state.add(batch);
        while state.spans > self.max_spans || state.bytes > self.max_bytes {
            state.evict(&mut evicted);
        }
        drop(state);
        drop(evicted); // giving memory back takes long: who reads need not wait for it
        Ok(())
    }

    fn trace(&self, run_id: RunId) -> Result<Option<Trace>, StoreError> {
        let items: Vec<Item> = match self.lock().runs.get(&run_id) {
            Some(run) => run.iter().rev().cloned().collect(),
            None => return Ok(None),
        };
        // The last span of a call replaces what was put before.
        let mut calls = HashSet::new();
        let last = items.iter().filter(|item| calls.insert(item.call_id()));
        Ok(Trace::new(last.map(Item::span).collect()))
    }
}

impl State {
    fn add(&mut self, batch: &Batch) {
        // Runs come in long rows: one look-up a row.
        for row in batch.items().chunk_by(|a, b| a.run_id() == b.run_id()) {
            let run_id = row[0].run_id();
            let run = self.runs.entry(run_id).or_insert_with(|| {
                self.order.push_back(run_id);
                VecDeque::new()
            });
            run.extend(row.iter().cloned());
            self.spans += row.len();
        }
        self.bytes += batch.weight();
    }

    /// Lets go of the oldest run, or of the oldest span of the only one.
    fn evict(&mut self, evicted: &mut Vec<Item>) {
        let Some(oldest) = self.order.front() else { return };
        let Some(run) = self.runs.get_mut(oldest) else { return };
        let count = if self.order.len() > 1 { run.len() } else { 1 };
        let before = evicted.len();
        evicted.extend(run.drain(..count));
        if run.is_empty() {
            self.runs.remove(oldest);
            self.order.pop_front();
        }
        self.spans -= count;
        self.evicted += count as u64;
        self.bytes -= evicted[before..].iter().map(Item::weight).sum::<usize>();
    }
}
