#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};

/// A global allocator that counts allocations, per thread and in total.
///
/// Each allocation and each reallocation counts as one; deallocations do not count. Forwards to `A`, by default the
/// system's allocator.
///
/// # Examples
///
/// ```
/// use zerospan_core::dev::{Allocations, CountingAllocator};
///
/// #[global_allocator]
/// static ALLOCATOR: CountingAllocator = CountingAllocator::system();
///
/// let (text, allocations) = Allocations::measure(|| String::from("on the heap"));
/// assert_eq!(text.len(), 11);
/// assert_eq!(allocations, Allocations { count: 1, bytes: 11 });
/// ```
#[derive(Debug, Default)]
pub struct CountingAllocator<A = System>(A);

impl CountingAllocator {
    /// Wraps the system's allocator.
    pub const fn system() -> Self {
        Self(System)
    }
}

impl<A> CountingAllocator<A> {
    /// Wraps `allocator`.
    pub const fn new(allocator: A) -> Self {
        Self(allocator)
    }
}

/// A number of heap allocations and their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Allocations {
    /// The number of allocations and reallocations.
    pub count: u64,
    /// The requested bytes: a reallocation counts its whole new size.
    pub bytes: u64,
}

impl Allocations {
    /// Calls `work` and counts this thread's allocations meanwhile.
    ///
    /// The counts stay 0 if no [`CountingAllocator`] is installed. A test that asserts 0 therefore begins with
    /// [`assert_counted`](Self::assert_counted).
    pub fn measure<R>(work: impl FnOnce() -> R) -> (R, Self) {
        let before = Self::this_thread();
        let result = work();
        (result, Self::this_thread().since(before))
    }

    /// Returns the number of allocations of one run of `work` on this thread, once buffers have their size.
    ///
    /// Runs it 64 times at a time, so that one allocation in many runs does not hide, and calls `settle` after each of twenty times
    /// before it counts.
    ///
    /// # Panics
    ///
    /// If some runs allocate more than others, or the program did not install a [`CountingAllocator`].
    #[track_caller]
    pub fn per_run(mut settle: impl FnMut(), mut work: impl FnMut()) -> u64 {
        const RUNS: u64 = 64;
        Self::assert_counted();
        for _ in 0..20 {
            (0..RUNS).for_each(|_| work());
            settle();
        }
        let ((), allocated) = Self::measure(|| (0..RUNS).for_each(|_| work()));
        assert_eq!(allocated.count % RUNS, 0, "not the same in every run");
        allocated.count / RUNS
    }

    /// Returns the allocations of this thread since it started.
    pub fn this_thread() -> Self {
        THREAD.with(Cell::get)
    }

    /// Returns the allocations of all threads, including ended ones, since the process started.
    pub fn all_threads() -> Self {
        Self {
            count: PROCESS_COUNT.load(Ordering::Relaxed),
            bytes: PROCESS_BYTES.load(Ordering::Relaxed),
        }
    }

    /// Returns the allocations made after `earlier` was taken.
    #[must_use]
    pub fn since(self, earlier: Self) -> Self {
        Self {
            count: self.count - earlier.count,
            bytes: self.bytes - earlier.bytes,
        }
    }

    /// Asserts that allocations are counted: the control of every test that asserts that there are none.
    ///
    /// # Panics
    ///
    /// If the program did not install a [`CountingAllocator`] as its global allocator.
    pub fn assert_counted() {
        let (_, counted) = Self::measure(|| std::hint::black_box(Box::new(0x5eed_u64)));
        assert_eq!(
            counted,
            Self { count: 1, bytes: 8 },
            "no CountingAllocator is installed: declare one with #[global_allocator]",
        );
    }
}

thread_local! {
    // Const-initialised and without a destructor: a read does not allocate, and it outlives every other thread-local.
    static THREAD: Cell<Allocations> = const { Cell::new(Allocations { count: 0, bytes: 0 }) };
}

static PROCESS_COUNT: AtomicU64 = AtomicU64::new(0);
static PROCESS_BYTES: AtomicU64 = AtomicU64::new(0);

fn count(bytes: usize) {
    let bytes = bytes as u64;
    THREAD.with(|thread| {
        let so_far = thread.get();
        thread.set(Allocations {
            count: so_far.count + 1,
            bytes: so_far.bytes + bytes,
        });
    });
    PROCESS_COUNT.fetch_add(1, Ordering::Relaxed);
    PROCESS_BYTES.fetch_add(bytes, Ordering::Relaxed);
}

// SAFETY: every call is forwarded unchanged to `A`, which is a `GlobalAlloc`; `count` neither allocates nor unwinds.
unsafe impl<A: GlobalAlloc> GlobalAlloc for CountingAllocator<A> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: the caller upholds the contract of `alloc`, which is that of `A`.
        unsafe { self.0.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: as for `alloc`.
        unsafe { self.0.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size);
        // SAFETY: `memory` came from `A` with `layout`, since every allocation is forwarded to it.
        unsafe { self.0.realloc(memory, layout, size) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: as for `realloc`.
        unsafe { self.0.dealloc(memory, layout) }
    }
}
