//! `Bell`: how the writer of a recorder is woken, and asked.

use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use crate::commit::Commit;
use crate::sync::{Condvar, Mutex, MutexGuard};

/// How long the writer lets ended calls gather after the first: it is woken at most that often,
/// unless a shard is half full or somebody asks.
const GATHER: Duration = Duration::from_millis(20);

/// Who has something for the writer rings it; the writer answers when that is done.
#[derive(Default)]
pub(crate) struct Bell {
    state: Mutex<State>,
    /// The writer waits here for something to do.
    rung: Condvar,
    /// Those who asked wait here for the writer.
    answered: Condvar,
}

#[derive(Default)]
struct State {
    has_work: bool,
    is_urgent: bool,
    is_closed: bool,
    /// How often the writer was asked to take what is there, and for which of these it has.
    asked: u64,
    answered: u64,
    /// Those who wait until what has ended is written.
    commits: Vec<Arc<Commit>>,
    /// The writer has gone.
    is_over: bool,
}

/// What the writer is to do now: to take what has ended.
pub(crate) struct Orders {
    /// What it answers when that is done.
    pub(crate) answers: u64,
    /// Who wants to know when it is written.
    pub(crate) commits: Vec<Arc<Commit>>,
    /// There will be no more.
    pub(crate) is_closed: bool,
}

impl Bell {
    /// A call has ended, and the writer may sleep.
    #[cold]
    pub(crate) fn ring(&self, is_urgent: bool) {
        let mut state = self.lock();
        let is_news = !state.has_work || (is_urgent && !state.is_urgent);
        state.has_work = true;
        state.is_urgent |= is_urgent;
        drop(state);
        if is_news {
            self.rung.notify_one();
        }
    }

    /// Waits for a call to end, and then for others to gather; not beyond this moment if none ends.
    pub(crate) fn wait(&self, until: Instant) -> Orders {
        let sleep = until.saturating_duration_since(Instant::now());
        let is_idle = |state: &mut State| !state.has_work && !state.is_asked();
        let waited = self.rung.wait_timeout_while(self.lock(), sleep, is_idle);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner).0;
        if state.has_work {
            let has_time = |state: &mut State| !state.is_urgent && !state.is_asked();
            let gathered = self.rung.wait_timeout_while(state, GATHER, has_time);
            state = gathered.unwrap_or_else(PoisonError::into_inner).0;
        }
        (state.has_work, state.is_urgent) = (false, false);
        let commits = std::mem::take(&mut state.commits);
        Orders { answers: state.asked, commits, is_closed: state.is_closed }
    }

    /// The writer has done what it was asked until then.
    pub(crate) fn answer(&self, answers: u64) {
        self.lock().answered = answers;
        self.answered.notify_all();
    }

    /// Asks the writer to take what has ended until now: [`wait_for`](Self::wait_for) this.
    pub(crate) fn ask(&self) -> u64 {
        let mut state = self.lock();
        state.asked += 1;
        let asked = state.asked;
        drop(state);
        self.rung.notify_one();
        asked
    }

    /// Asks the writer to have what has ended until now written, and to say so.
    pub(crate) fn ask_to_commit(&self, commit: Arc<Commit>) {
        let mut state = self.lock();
        if state.is_over {
            drop(state);
            return commit.fail();
        }
        state.commits.push(commit);
        state.asked += 1;
        drop(state);
        self.rung.notify_one();
    }

    /// Waits until the writer has done what it was asked, or until the deadline; `false` if it has
    /// not.
    pub(crate) fn wait_for(&self, asked: u64, deadline: Instant) -> bool {
        let bound = deadline.saturating_duration_since(Instant::now());
        let is_behind = |state: &mut State| state.answered < asked;
        let waited = self.answered.wait_timeout_while(self.lock(), bound, is_behind);
        waited.unwrap_or_else(PoisonError::into_inner).0.answered >= asked
    }

    /// The writer takes what is there, and goes.
    pub(crate) fn close(&self) {
        self.lock().is_closed = true;
        self.rung.notify_all();
    }

    /// The writer goes. Nobody will answer.
    pub(crate) fn end(&self) {
        let mut state = self.lock();
        state.is_over = true;
        let commits = std::mem::take(&mut state.commits);
        drop(state);
        commits.iter().for_each(|commit| commit.fail());
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn is_asked(&self) -> bool {
        self.asked != self.answered || self.is_closed
    }
}
