//! The locks and counts of the queue between calls, readers and the writer: those of the standard library, or in
//! tests with `--cfg timbal_loom` those of loom, which tries every order in which threads can run.

#[cfg(not(all(test, timbal_loom)))]
pub(crate) use std::sync::{
    Condvar, Mutex, MutexGuard,
    atomic::{AtomicUsize, Ordering},
};

#[cfg(all(test, timbal_loom))]
pub(crate) use self::modelled::{
    AtomicUsize, Condvar, Mutex, MutexGuard, Ordering, ShortLock, ShortLockGuard,
};

/// A lock that is held for as long as it takes to write some fields: nobody waits for anything under it,
/// and no code of a user's runs.
///
/// It is given back by a plain store. A lock on which threads can sleep is given back by an exchange,
/// before which the processor waits until all that was written under it has come to its cache: a
/// tenth of what a call costs.
#[cfg(not(all(test, timbal_loom)))]
pub(crate) type ShortLock<T> = spin::mutex::SpinMutex<T, spin::Yield>;

#[cfg(not(all(test, timbal_loom)))]
pub(crate) type ShortLockGuard<'a, T> = spin::mutex::SpinMutexGuard<'a, T, spin::Yield>;

#[cfg(all(test, timbal_loom))]
mod modelled {
    use std::sync::{LockResult, PoisonError};
    use std::time::Duration;

    pub(crate) use loom::sync::atomic::{AtomicUsize, Ordering};
    pub(crate) use loom::sync::{Mutex, MutexGuard};

    #[derive(Default)]
    pub(crate) struct ShortLock<T>(Mutex<T>);

    pub(crate) type ShortLockGuard<'a, T> = MutexGuard<'a, T>;

    impl<T> ShortLock<T> {
        pub(crate) fn lock(&self) -> ShortLockGuard<'_, T> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner)
        }
    }

    /// In the model no time passes: what waits shorter than this has waited, what waits longer waits
    /// until it is woken, so that a wake-up that is lost is found as a deadlock.
    const FOR_EVER: Duration = Duration::from_secs(1);

    /// What the queue asks of a condition variable, by loom's.
    #[derive(Default)]
    pub(crate) struct Condvar(loom::sync::Condvar);

    pub(crate) struct WaitTimeoutResult(bool);

    impl WaitTimeoutResult {
        pub(crate) fn timed_out(&self) -> bool {
            self.0
        }
    }

    impl Condvar {
        pub(crate) fn notify_one(&self) {
            self.0.notify_one();
        }

        pub(crate) fn notify_all(&self) {
            self.0.notify_all();
        }

        pub(crate) fn wait_timeout_while<'a, T>(
            &self,
            mut guard: MutexGuard<'a, T>,
            bound: Duration,
            mut is_waiting: impl FnMut(&mut T) -> bool,
        ) -> LockResult<(MutexGuard<'a, T>, WaitTimeoutResult)> {
            while is_waiting(&mut guard) {
                if bound < FOR_EVER {
                    return Ok((guard, WaitTimeoutResult(true)));
                }
                guard = self.0.wait(guard).unwrap_or_else(PoisonError::into_inner);
            }
            Ok((guard, WaitTimeoutResult(false)))
        }
    }
}
