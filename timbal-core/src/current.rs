//! `Current`: the call whose body runs here and now.

use std::cell::Cell;
use std::mem::ManuallyDrop;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::held::{Frame, Held};
use crate::open_call::OpenCall;
use crate::{CallId, RunId, Traceparent};

thread_local! {
    /// Who makes a call the current one takes it back, so there is nothing to drop when the thread
    /// ends, and what other thread-locals do then finds this one in its place.
    static CURRENT: ManuallyDrop<Slot> = const {
        ManuallyDrop::new(Slot { own: Cell::new(None), shared: Cell::new(None) })
    };
}

/// Holds the call whose body a thread runs, if it runs one. It is moved in and out, never counted.
///
/// It stands in one of two words: one of two words' size would be written as two and read as one just
/// after, for which the processor has to wait.
struct Slot {
    own: Cell<Option<Frame>>,
    shared: Cell<Option<Arc<OpenCall>>>,
}

impl Slot {
    #[inline]
    fn take(&self) -> Option<Held> {
        match self.shared.take() {
            Some(call) => Some(Held::Shared(call)),
            None => self.own.take().map(Held::Own),
        }
    }

    #[inline]
    fn replace(&self, call: Option<Held>) -> Option<Held> {
        let before = self.take();
        self.put(call);
        before
    }

    /// Puts a call where none is.
    #[inline]
    fn put(&self, call: Option<Held>) {
        match call {
            Some(Held::Own(frame)) => self.own.set(Some(frame)),
            Some(Held::Shared(call)) => self.shared.set(Some(call)),
            None => {}
        }
    }

    /// The call as one more owner of it.
    #[inline]
    fn share(&self) -> Option<Arc<OpenCall>> {
        let call = self.take()?.share();
        self.shared.set(Some(Arc::clone(&call)));
        Some(call)
    }
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

/// Takes the current call out of its place.
#[inline]
fn take() -> Option<Held> {
    CURRENT.with(|slot| slot.take())
}

/// The current call, as one more owner of it.
#[inline]
pub(crate) fn shared() -> Option<Arc<OpenCall>> {
    if is_any_heard() { CURRENT.with(|slot| slot.share()) } else { None }
}

/// What this gives of the current call; it must not ask for the current call itself.
#[inline]
pub(crate) fn with<R>(look: impl FnOnce(&OpenCall) -> R) -> Option<R> {
    if !is_any_heard() {
        return None;
    }
    let mut lent = Lent(Some(take()?));
    let seen = lent.0.as_deref().map(look);
    put(lent.0.take());
    std::mem::forget(lent);
    seen
}

/// Puts the current call back in its place, which is empty.
#[inline]
fn put(call: Option<Held>) {
    CURRENT.with(|slot| slot.put(call));
}

/// The current call while somebody looks at it, who may panic.
struct Lent(Option<Held>);

impl Drop for Lent {
    #[cold]
    fn drop(&mut self) {
        put(self.0.take());
    }
}

/// Makes this the current call until the guard is dropped.
#[inline]
pub(crate) fn enter(call: Option<Held>) -> Entered {
    Entered(CURRENT.with(|slot| slot.replace(call)))
}

/// Puts the call that was current before back in its place, also when the body panics.
pub(crate) struct Entered(Option<Held>);

impl Entered {
    /// Puts it back now, and gives the call that was current until now.
    #[inline]
    pub(crate) fn leave(mut self) -> Option<Held> {
        let before = self.0.take();
        let current = CURRENT.with(|slot| slot.replace(before));
        std::mem::forget(self);
        current
    }
}

impl Drop for Entered {
    #[inline]
    fn drop(&mut self) {
        let before = self.0.take();
        // What was current is dropped after its place was given back, as its drop may ask for it.
        drop(CURRENT.with(|slot| slot.replace(before)));
    }
}

/// Makes no call the current one until the guard is dropped.
#[inline]
pub(crate) fn hide() -> Option<Entered> {
    if !is_any_heard() {
        return None;
    }
    take().map(|call| Entered(Some(call)))
}
