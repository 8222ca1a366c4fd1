//! `MemoryStore`: the last runs, in memory.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::store::{Batch, Item, Store, StoreError};
use crate::{Filter, Page, Prune, Pruned, RunId, RunSummary, Stats, StatsQuery, Tally, Trace};

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

    /// All runs, in no order.
    fn traces(&self) -> impl Iterator<Item = Trace> + use<> {
        let runs: Vec<_> = self.lock().runs.values().map(copied).collect();
        runs.into_iter().filter_map(trace_of)
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
        let run: Option<Vec<Item>> = self.lock().runs.get(&run_id).map(copied);
        Ok(run.and_then(trace_of))
    }

    fn runs(&self, filter: &Filter) -> Result<Page, StoreError> {
        let traces: HashMap<RunId, Trace> =
            self.traces().map(|trace| (trace.run_id, trace)).collect();
        let mut runs: Vec<_> = traces.values().filter_map(RunSummary::of).collect();
        runs.sort_unstable_by_key(|run| Reverse(run.cursor()));
        Page::collect(filter, runs.into_iter().map(Ok), |run, text| {
            Ok(traces[&run.run_id].spans.iter().any(|span| text.in_span(span)))
        })
    }

    fn stats(&self, query: &StatsQuery) -> Result<Stats, StoreError> {
        let mut tally = Tally::new(query);
        self.traces().for_each(|trace| trace.spans.iter().for_each(|span| tally.add(span)));
        Ok(tally.into_stats())
    }

    fn paths(&self) -> Result<Vec<String>, StoreError> {
        let spans = self.traces().flat_map(|trace| trace.spans);
        let paths: BTreeSet<_> = spans.map(|span| span.path).collect();
        Ok(paths.into_iter().collect())
    }

    /// Counts bytes as [`with_max_bytes`](Self::with_max_bytes) does.
    fn prune(&self, prune: &Prune) -> Result<Pruned, StoreError> {
        let mut runs: Vec<_> = self.traces().filter_map(|trace| RunSummary::of(&trace)).collect();
        runs.sort_unstable_by_key(RunSummary::cursor);
        let mut gone = Vec::new();
        let mut pruned = Pruned::default();
        let mut state = self.lock();
        for run in runs {
            let is_too_old = prune.before.is_some_and(|before| run.t0 < before);
            let is_too_much = prune.max_bytes.is_some_and(|max| state.bytes as u64 > max);
            if !is_too_old && !is_too_much {
                break;
            }
            let Some(items) = state.remove(run.run_id) else { continue };
            gone.push(items);
            pruned = Pruned::new(pruned.runs + 1, pruned.spans + run.spans);
        }
        let State { runs, order, .. } = &mut *state;
        order.retain(|run_id| runs.contains_key(run_id));
        drop(state);
        drop(gone); // giving memory back takes long: who reads need not wait for it
        Ok(pruned)
    }
}

/// The items of a run, to be looked at when the lock is free again.
fn copied(run: &VecDeque<Item>) -> Vec<Item> {
    run.iter().cloned().collect()
}

/// The trace of one run. The last span of a call replaces what was put before.
fn trace_of(items: Vec<Item>) -> Option<Trace> {
    let mut calls = HashSet::new();
    let last = items.iter().rev().filter(|item| calls.insert(item.call_id()));
    Trace::new(last.map(Item::span).collect())
}

impl State {
    fn add(&mut self, batch: &Batch) {
        // Runs come in long rows: one look-up a row.
        for row in batch.items().chunk_by(|a, b| a.run_id() == b.run_id()) {
            let run_id = row[0].run_id();
            let run = self.runs.entry(run_id).or_insert_with(|| {
                self.order.push_back(run_id);
                VecDeque::with_capacity(row.len()) // many runs are a single call
            });
            run.extend(row.iter().cloned());
            self.spans += row.len();
        }
        self.bytes += batch.weight();
    }

    /// Takes a run out, but for its place in the order.
    fn remove(&mut self, run_id: RunId) -> Option<VecDeque<Item>> {
        let items = self.runs.remove(&run_id)?;
        self.spans -= items.len();
        self.bytes -= items.iter().map(Item::weight).sum::<usize>();
        Some(items)
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
