//! The panic hook: where a panic happened is known to it alone.

use std::panic::{PanicHookInfo, set_hook, take_hook};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::current;

type Hook = Box<dyn Fn(&PanicHookInfo<'_>) + Sync + Send>;

/// How many guards want to know where panics happen.
static WANTED: AtomicUsize = AtomicUsize::new(0);

/// Our hook that was set last.
static OURS: Mutex<Option<Ours>> = Mutex::new(None);

struct Ours {
    address: usize,
    /// The hook owns it too: while it does, its address is nobody else's.
    alive: Arc<()>,
}

/// Calls are told where they panic until this is dropped.
///
/// The hook stays where it is, as whoever has set another since may go on to ours: it then only goes
/// on to the one before. So no hook is ever taken from those who set it, and a thread that panics,
/// which must not touch hooks, can drop this.
#[derive(Debug)]
pub(crate) struct Located(());

impl Located {
    /// Chains our hook before the process's own, if that is not ours already.
    pub(crate) fn new() -> Self {
        if !std::thread::panicking() {
            chain();
        }
        WANTED.fetch_add(1, Ordering::Relaxed);
        Self(())
    }
}

impl Drop for Located {
    fn drop(&mut self) {
        WANTED.fetch_sub(1, Ordering::Relaxed);
    }
}

fn chain() {
    let mut ours = OURS.lock().unwrap_or_else(PoisonError::into_inner);
    let before = take_hook();
    let is_ours = |it: &Ours| Arc::strong_count(&it.alive) > 1 && it.address == address(&before);
    if ours.as_ref().is_some_and(is_ours) {
        set_hook(before);
        return;
    }
    let alive = Arc::new(());
    let hook = hook(before, Arc::clone(&alive));
    *ours = Some(Ours { address: address(&hook), alive });
    set_hook(hook);
}

fn hook(before: Hook, alive: Arc<()>) -> Hook {
    Box::new(move |panic| {
        let _alive = &alive;
        if WANTED.load(Ordering::Relaxed) > 0 {
            locate(panic);
        }
        before(panic);
    })
}

fn address(hook: &Hook) -> usize {
    std::ptr::from_ref(&**hook).addr()
}

/// Tells the call that this thread runs.
fn locate(panic: &PanicHookInfo<'_>) {
    let Some(location) = panic.location() else { return };
    let place = (location.file().to_owned(), location.line(), location.column());
    current::with(|call| call.note_failing(|failing| failing.panic_at(place)));
}
