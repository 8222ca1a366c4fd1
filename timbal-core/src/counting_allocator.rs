//! `CountingAllocator`: an allocator that counts for the calls what they allocate.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};

/// An allocator that counts what each thread allocates, so that spans say what their calls did:
/// [`Span::allocated_bytes`](crate::Span::allocated_bytes).
///
/// It is the system's, or wraps [another](Self::of).
///
/// # Examples
///
/// ```
/// use timbal_core::CountingAllocator;
///
/// #[global_allocator]
/// static ALLOCATOR: CountingAllocator = CountingAllocator::new();
///
/// # futures::executor::block_on(async {
/// let call = timbal_core::call!("root", skip_output, async { vec![0_u8; 1_000_000] });
/// let (_, trace) = call.traced().await;
/// assert!(trace.root().unwrap().allocated_bytes >= Some(1_000_000));
/// # });
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct CountingAllocator<A = System> {
    inner: A,
}

/// The allocator itself, named as [`System`] is: `static ALLOCATOR: CountingAllocator =
/// CountingAllocator;`.
#[expect(non_upper_case_globals, reason = "it is a value as a unit struct is")]
pub const CountingAllocator: CountingAllocator = CountingAllocator::new();

impl CountingAllocator {
    /// The system's allocator, counted.
    pub const fn new() -> Self {
        Self::of(System)
    }
}

impl<A> CountingAllocator<A> {
    /// This allocator, counted.
    pub const fn of(inner: A) -> Self {
        Self { inner }
    }
}

thread_local! {
    /// All bytes that this thread ever allocated. It needs neither memory to be made nor a
    /// destructor, so an allocator may use it at any time.
    static ALLOCATED: Cell<u64> = const { Cell::new(0) };
}

/// Whether the process allocates by a `CountingAllocator`.
static IS_COUNTING: AtomicBool = AtomicBool::new(false);

/// All bytes that this thread has allocated so far; zero where nobody counts.
#[inline]
pub(crate) fn allocated() -> u64 {
    ALLOCATED.get()
}

#[inline]
pub(crate) fn is_counting() -> bool {
    IS_COUNTING.load(Ordering::Relaxed)
}

#[inline]
fn count(bytes: usize) {
    // A store would take the cache line away from all threads, every time.
    if !is_counting() {
        IS_COUNTING.store(true, Ordering::Relaxed);
    }
    ALLOCATED.set(ALLOCATED.get().wrapping_add(bytes as u64));
}

// No measurement asks for this: an allocator can be written in no other way.
#[expect(unsafe_code, reason = "`GlobalAlloc` is an unsafe trait")]
// SAFETY: all is done by `A`, as the caller asked for it. Counting touches a `Cell` and an atomic: it
// neither allocates nor unwinds.
unsafe impl<A: GlobalAlloc> GlobalAlloc for CountingAllocator<A> {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: the caller keeps what it owes to `alloc`.
        unsafe { self.inner.alloc(layout) }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: the caller keeps what it owes to `alloc_zeroed`.
        unsafe { self.inner.alloc_zeroed(layout) }
    }

    #[inline]
    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        count(new_size.saturating_sub(layout.size()));
        // SAFETY: the caller keeps what it owes to `realloc`; `memory` came from `A`, as all did.
        unsafe { self.inner.realloc(memory, layout, new_size) }
    }

    #[inline]
    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps what it owes to `dealloc`; `memory` came from `A`, as all did.
        unsafe { self.inner.dealloc(memory, layout) }
    }
}
