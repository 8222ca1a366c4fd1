//! Counts what the process allocates, while it is asked to.
#![expect(unsafe_code, reason = "an allocator cannot be written without it")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::Relaxed};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

static ON: AtomicBool = AtomicBool::new(false);
static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);
static LIVE: AtomicI64 = AtomicI64::new(0);

thread_local! {
    // Constant and without a destructor: using it never allocates.
    static HERE: Cell<u64> = const { Cell::new(0) };
}

/// What was allocated during [`count`].
pub(crate) struct Counted {
    /// Calls of the allocator on the thread that counts.
    pub(crate) here: u64,
    /// Calls of the allocator on all threads.
    pub(crate) everywhere: u64,
    /// Bytes that are held at the end and were not at the beginning.
    pub(crate) held: i64,
}

/// Counts the allocations of all threads while `work` runs.
pub(crate) fn count<T>(work: impl FnOnce() -> T) -> (T, Counted) {
    let here = HERE.get();
    let everywhere = ALLOCATIONS.load(Relaxed);
    let held = LIVE.load(Relaxed);
    ON.store(true, Relaxed);
    let value = work();
    ON.store(false, Relaxed);
    let counted = Counted {
        here: HERE.get() - here,
        everywhere: ALLOCATIONS.load(Relaxed) - everywhere,
        held: LIVE.load(Relaxed) - held,
    };
    (value, counted)
}

/// The system's allocator; where it does not count it costs one relaxed load more.
struct Counting;

impl Counting {
    fn note(allocated: usize, freed: usize) {
        if !ON.load(Relaxed) {
            return;
        }
        if allocated > 0 {
            ALLOCATIONS.fetch_add(1, Relaxed);
            HERE.set(HERE.get() + 1);
        }
        LIVE.fetch_add(allocated as i64 - freed as i64, Relaxed);
    }
}

// SAFETY: every method hands its arguments to `System` as they are, and returns what it returned.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        Self::note(layout.size(), 0);
        // SAFETY: the caller's promises are those that `System` asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        Self::note(layout.size(), 0);
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        Self::note(size, layout.size());
        // SAFETY: as above.
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        Self::note(0, layout.size());
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}
