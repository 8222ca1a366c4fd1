//! `Outlet`: a store or an exporter, and what waits to be put there.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::CallError;
use crate::commit::Commit;
use crate::exporter::{ExportError, Exporter};
use crate::faults::Faults;
use crate::outlets::Letter;
use crate::store::{Batch, Store, StoreError};

/// How many calls, and how many bytes of them, may wait for an outlet that has a thread of its own.
const MAX_CALLS: usize = 65_536;
const MAX_BYTES: usize = 32 << 20;

/// How long the writer waits at most for a place before a store. If it waits in vain, it does not
/// wait again before that store has answered.
const FULL_WAIT: Duration = Duration::from_millis(100);

/// How long an outlet that failed is left alone before it is tried again: twice as long each time.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LAST_PAUSE: Duration = Duration::from_secs(5);

/// How long what fails is tried again once the recorder has been closed.
const LAST_TRIES: Duration = Duration::from_secs(2);

/// A store or an exporter, and what waits to be put there. It is tried until it takes a batch, and
/// then given the next: so it gets all of them in order.
pub(crate) struct Outlet {
    target: Target,
    faults: Arc<Faults>,
    state: Mutex<State>,
    /// Its thread waits here: for something to put, or for the next try.
    changed: Condvar,
    /// Those who wait for it wait here.
    dealt: Condvar,
}

pub(crate) enum Target {
    Store(Box<dyn Store>),
    Exporter(Box<dyn Exporter>),
}

#[derive(Default)]
struct State {
    letters: VecDeque<Letter>,
    /// Of the calls in the letters.
    calls: usize,
    bytes: usize,
    /// How many letters it was given, and how many it has done with.
    given: u64,
    done: u64,
    counts: Counts,
    pause: Duration,
    is_failing: bool,
    /// Something was not written since that was last asked.
    is_torn: bool,
    /// The writer has waited for a place in vain.
    is_stuck: bool,
    is_hurried: bool,
    /// When the recorder was closed: the end of all tries.
    give_up_at: Option<Instant>,
    /// No letters will come.
    is_over: bool,
}

/// What became of the calls that an outlet was given.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counts {
    pub(crate) written: u64,
    /// Given up on, or passed by while the outlet was full.
    pub(crate) lost: u64,
}

impl Outlet {
    pub(crate) fn new(target: Target, faults: Arc<Faults>) -> Self {
        let state = Mutex::new(State { pause: FIRST_PAUSE, ..State::default() });
        Self { target, faults, state, changed: Condvar::new(), dealt: Condvar::new() }
    }

    pub(crate) fn store(&self) -> Option<&dyn Store> {
        match &self.target {
            Target::Store(store) => Some(&**store),
            Target::Exporter(_) => None,
        }
    }

    pub(crate) fn counts(&self) -> Counts {
        self.lock().counts
    }

    /// Deals with the letters that it is given, until there will be none.
    pub(crate) fn run(&self) {
        loop {
            let is_idle = |state: &mut State| state.letters.is_empty() && !state.is_over;
            let waited = self.changed.wait_while(self.lock(), is_idle);
            let mut state = waited.unwrap_or_else(PoisonError::into_inner);
            let Some(letter) = state.letters.pop_front() else { return };
            drop(state);
            self.deal(&letter, true);
        }
    }

    /// Deals with a letter here and now.
    pub(crate) fn take(&self, letter: &Letter) {
        self.lock().given += 1;
        self.deal(letter, false);
    }

    /// Leaves a letter to the outlet's own thread.
    pub(crate) fn leave(&self, letter: Letter) {
        let mut state = self.lock();
        let is_store = self.store().is_some();
        if is_store && state.is_full() && !state.is_stuck {
            let is_full = |state: &mut State| state.is_full() && !state.is_over;
            let waited = self.dealt.wait_timeout_while(state, FULL_WAIT, is_full);
            let (waited, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
            state = waited;
            state.is_stuck = timeout.timed_out();
        }
        if state.is_over {
            state.counts.lost += letter.ended();
            drop(state);
            return letter.fail();
        }
        let mut letter = letter;
        if letter.calls() > 0 && state.is_full() {
            state.counts.lost += letter.ended();
            letter = Letter::Gap;
            if let Some(Letter::Gap) = state.letters.back() {
                return;
            }
        }
        state.given += 1;
        state.calls += letter.calls();
        state.bytes += letter.bytes();
        state.letters.push_back(letter);
        drop(state);
        self.changed.notify_one();
    }

    fn deal(&self, letter: &Letter, has_waited: bool) {
        let is_written = match letter {
            Letter::Ended(batch) => self.put(batch),
            Letter::Open(batch) => self.store().is_none() || self.put(batch),
            Letter::Gap => false,
            Letter::Commits(commits) => self.answer(commits),
        };
        let mut state = self.lock();
        state.is_torn |= !is_written;
        let counts = &mut state.counts;
        *if is_written { &mut counts.written } else { &mut counts.lost } += letter.ended();
        state.done += 1;
        if has_waited {
            state.calls -= letter.calls();
            state.bytes -= letter.bytes();
        }
        state.is_stuck = false;
        drop(state);
        self.dealt.notify_all();
    }

    /// Says whether all was written since this was last asked.
    fn answer(&self, commits: &[Arc<Commit>]) -> bool {
        if self.store().is_some() {
            let is_torn = std::mem::take(&mut self.lock().is_torn);
            commits.iter().for_each(|commit| commit.answer(!is_torn));
        }
        true
    }

    /// Puts a batch, and tries until it is there; `false` if it was given up.
    fn put(&self, batch: &Batch) -> bool {
        loop {
            match self.target.put(batch) {
                Ok(()) => {
                    let mut state = self.lock();
                    (state.is_failing, state.pause) = (false, FIRST_PAUSE);
                    return true;
                }
                Err(error) => {
                    let is_first = !std::mem::replace(&mut self.lock().is_failing, true);
                    self.faults.note(&error, is_first);
                }
            }
            if !self.pause() {
                return false;
            }
        }
    }

    /// Waits for the next try; `false` if there is none.
    fn pause(&self) -> bool {
        let mut state = self.lock();
        let end = state.give_up_at;
        if end.is_some_and(|end| Instant::now() >= end) {
            return false;
        }
        if end.is_some() {
            state.pause = FIRST_PAUSE;
        }
        let pause = state.pause;
        state.pause = (pause * 2).min(LAST_PAUSE);
        let has_time = |state: &mut State| !state.is_hurried && state.give_up_at == end;
        let waited = self.changed.wait_timeout_while(state, pause, has_time);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner).0;
        if std::mem::take(&mut state.is_hurried) {
            state.pause = FIRST_PAUSE;
        }
        true
    }

    /// What fails is tried at once, and more often: somebody waits for it.
    pub(crate) fn hurry(&self) {
        let mut state = self.lock();
        state.is_hurried = state.is_failing;
        drop(state);
        self.changed.notify_all();
    }

    /// Waits until it has done with what it was given until now, or until the deadline; `false` if it
    /// has not.
    pub(crate) fn wait(&self, deadline: Instant) -> bool {
        let state = self.lock();
        let given = state.given;
        let bound = deadline.saturating_duration_since(Instant::now());
        let is_behind = |state: &mut State| state.done < given;
        let waited = self.dealt.wait_timeout_while(state, bound, is_behind);
        waited.unwrap_or_else(PoisonError::into_inner).0.done >= given
    }

    /// The recorder goes: what fails is not tried for long.
    pub(crate) fn close(&self) {
        self.lock().give_up_at = Some(Instant::now() + LAST_TRIES);
        self.changed.notify_all();
    }

    /// No letters will come.
    pub(crate) fn end(&self) {
        self.lock().is_over = true;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn is_full(&self) -> bool {
        self.calls >= MAX_CALLS || self.bytes >= MAX_BYTES
    }
}

impl Target {
    /// Puts a batch; a panic is a failure.
    fn put(&self, batch: &Batch) -> Result<(), Box<dyn std::error::Error>> {
        let put = || match self {
            Self::Store(store) => store.put(batch).map_err(Into::into),
            Self::Exporter(exporter) => exporter.export(batch).map_err(Into::into),
        };
        catch_unwind(AssertUnwindSafe(put)).unwrap_or_else(|panic| {
            let panic = CallError::from_caught(panic);
            Err(match self {
                Self::Store(_) => StoreError::panicked(&panic).into(),
                Self::Exporter(_) => ExportError::panicked(&panic).into(),
            })
        })
    }
}
