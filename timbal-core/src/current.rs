//! `Current`: the call whose body runs here and now.

use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::held::Held;
use crate::open_call::OpenCall;
use crate::slot::{NONE, Slot, Words};
use crate::{CallId, RunId, Traceparent};

thread_local! {
    /// Who makes a call the current one takes it back, so there is nothing to drop when the thread
    /// ends, and what other thread-locals do then finds this one in its place.
    static CURRENT: Slot = const { Slot::empty() };
}

/// The call whose body runs here and now, or `None` outside of every call that is recorded or read.
///
/// # Examples
///
/// ```
/// assert!(timbal_core::current().is_none());
/// ```
pub fn current() -> Option<Current> {
    shared().map(Current)
}

/// A call whose body runs, or ran: what names it.
#[derive(Clone)]
pub struct Current(Arc<OpenCall>);

impl Current {
    /// The run that the call belongs to.
    pub fn run_id(&self) -> RunId {
        self.0.run().id
    }

    /// The run that this run goes on from.
    pub fn parent_run_id(&self) -> Option<RunId> {
        self.0.above()?.parent_run_id
    }

    /// The call.
    pub fn call_id(&self) -> CallId {
        self.0.id
    }

    /// The call in which it was made; `None` of a root.
    pub fn parent_call_id(&self) -> Option<CallId> {
        self.0.above()?.caller
    }

    /// The names of the calls from the root down, joined with `.`.
    pub fn path(&self) -> String {
        self.0.path().join()
    }

    /// Runs a closure as a part of the call, on whatever thread this is.
    ///
    /// See [`in_current`](crate::in_current) for a closure that is to run on another.
    pub fn run<R>(&self, part: impl FnOnce() -> R) -> R {
        let _entered = enter(Some(Held::Shared(Arc::clone(&self.0))));
        part()
    }

    /// The call as a header that carries it to another process. It says whether the run is recorded
    /// here.
    pub fn traceparent(&self) -> Traceparent {
        Traceparent::new(self.run_id(), self.0.id).with_sampled(self.0.run().is_sampled())
    }
}

// What runs in the call may panic: the call is told of it, and stays what it is.
impl UnwindSafe for Current {}
impl RefUnwindSafe for Current {}

impl std::fmt::Debug for Current {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut debug = f.debug_struct("Current");
        debug.field("run_id", &self.run_id()).field("call_id", &self.call_id());
        debug.field("path", &self.path()).finish()
    }
}

/// Whether a call was ever heard in this process. Before that none can be the current one, and
/// nobody pays for more than this question.
static ANY_HEARD: AtomicBool = AtomicBool::new(false);

/// From now on calls may be current.
pub(crate) fn expect_calls() {
    // A store would take the cache line away from all threads, every time.
    if !is_any_heard() {
        ANY_HEARD.store(true, Ordering::Relaxed);
    }
}

#[inline]
pub(crate) fn is_any_heard() -> bool {
    ANY_HEARD.load(Ordering::Relaxed)
}

/// The current call, as one more owner of it.
#[inline]
pub(crate) fn shared() -> Option<Arc<OpenCall>> {
    if is_any_heard() { share() } else { None }
}

/// Not written out in the runnables: a function that makes a call is to stay small, so that the
/// handle is made where it is polled, not copied there.
#[inline(never)]
fn share() -> Option<Arc<OpenCall>> {
    CURRENT.with(Slot::share)
}

/// A call that `shared` has given is not needed any more.
#[inline]
pub(crate) fn give_back(call: Arc<OpenCall>) {
    CURRENT.with(|slot| slot.take_back(call));
}

/// What this gives of the current call; it must not ask for the current call itself.
#[inline]
pub(crate) fn with<R>(look: impl FnOnce(&OpenCall) -> R) -> Option<R> {
    let lent = hide()?;
    lent.0.call().map(look)
}

/// Makes this the current call until the guard is dropped.
#[inline]
pub(crate) fn enter(call: Option<Held>) -> Entered {
    Entered(replace(call.into()))
}

/// Makes no call the current one until the guard is dropped; `None` if none is.
#[inline]
pub(crate) fn hide() -> Option<Entered> {
    if !is_any_heard() {
        return None;
    }
    let before = replace(NONE);
    if before.call().is_some() { Some(Entered(before)) } else { None }
}

#[inline]
fn replace(words: Words) -> Words {
    CURRENT.with(|slot| slot.replace(words))
}

/// Puts the call that was current before back in its place, also when the body panics.
pub(crate) struct Entered(Words);

impl Entered {
    /// Puts it back now, and gives the call that was current until now.
    #[inline]
    pub(crate) fn leave(mut self) -> Option<Held> {
        let current = self.put_back();
        std::mem::forget(self);
        if let Some(Held::Shared(_)) = &current {
            CURRENT.with(Slot::clear_spare);
        }
        current
    }

    #[inline]
    fn put_back(&mut self) -> Option<Held> {
        replace(std::mem::replace(&mut self.0, NONE)).into()
    }
}

impl Drop for Entered {
    #[inline]
    fn drop(&mut self) {
        // What was current is dropped after its place was given back, as its drop may ask for it.
        if let Some(current) = self.put_back() {
            let_go(current);
        }
    }
}

/// It is not written out wherever somebody looks at the current call.
#[cold]
fn let_go(current: Held) {
    CURRENT.with(Slot::clear_spare);
    drop(current);
}

#[cfg(test)]
mod tests {
    use std::cell::OnceCell;
    use std::sync::Weak;
    use std::task::{Context, Waker};

    use super::*;
    use crate::Timbal;

    #[test]
    fn what_a_call_keeps_for_those_that_it_makes_is_gone_when_it_is_left() {
        let root: OnceCell<Weak<OpenCall>> = OnceCell::new();
        let owners = || root.get().map_or(0, Weak::strong_count);
        let body = async {
            root.set(Arc::downgrade(&shared().unwrap())).unwrap();
            for _ in 0..2 {
                crate::call!("child", async {}).await;
                assert_eq!(owners(), 2);
            }
            let hidden = hide();
            assert!(shared().is_none());
            drop(hidden);
            std::future::pending::<()>().await;
        };
        let mut call = Box::pin(crate::call!("root", body).recorded_by(&Timbal::builder().build()));
        assert!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        assert_eq!(owners(), 1);
        drop(call);
        assert_eq!(owners(), 0);
    }
}
