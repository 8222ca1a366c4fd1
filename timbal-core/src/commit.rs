//! `Commit`: whether what a run left behind has been written, for the one who waits for it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

/// Whether what a run left behind has been written. The stores say so, or time is up.
pub(crate) struct Commit {
    state: Mutex<State>,
    changed: Condvar,
    deadline: Instant,
}

struct State {
    /// How many stores have not answered yet.
    stores: usize,
    is_committed: Option<bool>,
    /// Who waits.
    waker: Option<Waker>,
}

impl Commit {
    /// A store has written all, or has not: then it will not.
    pub(crate) fn answer(&self, is_written: bool) {
        let mut state = self.lock();
        state.stores = state.stores.saturating_sub(1);
        if !is_written || state.stores == 0 {
            settle(state, &self.changed, is_written);
        }
    }

    /// It is not waited for any more.
    pub(crate) fn fail(&self) {
        settle(self.lock(), &self.changed, false);
    }

    fn is_settled(&self) -> bool {
        self.lock().is_committed.is_some()
    }

    pub(crate) fn poll(&self, cx: &mut Context<'_>) -> Poll<bool> {
        let mut state = self.lock();
        match state.is_committed {
            Some(is_committed) => Poll::Ready(is_committed),
            None => {
                state.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    /// Waits on this thread.
    pub(crate) fn wait(&self) -> bool {
        let bound = self.deadline.saturating_duration_since(Instant::now());
        let is_open = |state: &mut State| state.is_committed.is_none();
        let waited = self.changed.wait_timeout_while(self.lock(), bound, is_open);
        waited.unwrap_or_else(PoisonError::into_inner).0.is_committed.unwrap_or(false)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The first word counts.
fn settle(mut state: MutexGuard<'_, State>, changed: &Condvar, is_committed: bool) {
    state.is_committed.get_or_insert(is_committed);
    let waker = state.waker.take();
    drop(state);
    changed.notify_all();
    if let Some(waker) = waker {
        waker.wake();
    }
}

/// What is waited for, of one recorder: in the order of the deadlines, as all wait equally long.
pub(crate) struct Commits {
    within: Duration,
    stores: usize,
    waiting: Mutex<Waiting>,
    changed: Condvar,
    /// How often it was waited in vain.
    uncommitted: AtomicU64,
}

#[derive(Default)]
struct Waiting {
    commits: VecDeque<Arc<Commit>>,
    is_closed: bool,
}

impl Commits {
    /// Each waits so long at most for so many stores.
    pub(crate) fn new(within: Duration, stores: usize) -> Self {
        let (waiting, changed, uncommitted) = Default::default();
        Self { within, stores, waiting, changed, uncommitted }
    }

    /// What somebody waits for from now on.
    pub(crate) fn begin(&self) -> Arc<Commit> {
        let state = State { stores: self.stores, is_committed: None, waker: None };
        let deadline = Instant::now() + self.within;
        Arc::new(Commit { state: Mutex::new(state), changed: Condvar::new(), deadline })
    }

    /// Keeps the deadline of a commit that is polled for: nobody else looks at the time.
    pub(crate) fn watch(&self, commit: &Arc<Commit>) {
        let mut waiting = self.lock();
        if waiting.is_closed {
            drop(waiting);
            return commit.fail();
        }
        while waiting.commits.pop_front_if(|commit| commit.is_settled()).is_some() {}
        waiting.commits.push_back(Arc::clone(commit));
        drop(waiting);
        self.changed.notify_one();
    }

    /// Keeps the deadlines, until there are none and none will come.
    pub(crate) fn run(&self) {
        let mut waiting = self.lock();
        loop {
            let now = Instant::now();
            let next = waiting.commits.front().map(|commit| commit.deadline);
            waiting = match next {
                None if waiting.is_closed => return,
                None => self.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner),
                Some(deadline) if deadline <= now => {
                    let late = waiting.commits.pop_front();
                    drop(waiting); // whom this wakes may want to wait again
                    late.iter().for_each(|commit| commit.fail());
                    self.lock()
                }
                Some(deadline) => {
                    let waited = self.changed.wait_timeout(waiting, deadline - now);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    pub(crate) fn count_uncommitted(&self) {
        self.uncommitted.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn uncommitted(&self) -> u64 {
        self.uncommitted.load(Ordering::Relaxed)
    }

    /// The recorder goes: nobody begins to wait.
    pub(crate) fn close(&self) {
        self.lock().is_closed = true;
        self.changed.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
