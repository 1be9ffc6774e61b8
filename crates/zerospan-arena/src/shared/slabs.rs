use std::mem::take;
use std::slice;

/// Memory that grows while parts of it are borrowed: a fixed number of slabs, each allocated when those before it are full.
///
/// Needs no unsafe code: [`lend`](Self::lend) splits the slabs into exclusive references, and [`Free::take`] splits these
/// further. The parts it returns do not borrow from the lock that protects the [`Free`].
#[derive(Debug)]
pub(super) struct Slabs<T> {
    slabs: Vec<Vec<T>>,
}

/// Slabs double in size: this number of slabs exceeds any memory.
const SLABS: usize = 48;

impl<T: Copy + Default> Slabs<T> {
    pub(super) fn new() -> Self {
        Self { slabs: Vec::new() }
    }

    /// Returns the total size of the slabs, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.allocated().map(|slab| size_of_val(&slab[..])).sum()
    }

    /// Iterates over the slabs that have memory: these come first.
    fn allocated(&self) -> impl Iterator<Item = &Vec<T>> {
        self.slabs.iter().take_while(|slab| !slab.is_empty())
    }

    /// Returns the size of the list of slabs, in bytes.
    pub(super) fn overhead(&self) -> usize {
        self.slabs.capacity() * size_of::<Vec<T>>()
    }

    /// Replaces the slabs by one of their total size, and at most `max` bytes.
    pub(super) fn consolidate(&mut self, max: usize) {
        let bytes = self.bytes();
        if bytes <= max && self.allocated().nth(1).is_none() {
            return;
        }
        for slab in &mut self.slabs {
            *slab = Vec::new();
        }
        if let Some(first) = self.slabs.first_mut() {
            // On failure the next use allocates, and reports an error.
            let _ = fill(first, bytes.min(max) / size_of::<T>());
        }
    }

    /// Allocates the first slab with `count` values, unless it has memory. Returns `false` if the system has not enough.
    pub(super) fn preallocate(&mut self, count: usize) -> bool {
        self.allocate_list();
        self.slabs
            .first_mut()
            .is_none_or(|first| !first.is_empty() || fill(first, count))
    }

    /// Lends all memory, as free.
    pub(super) fn lend(&mut self) -> Free<'_, T> {
        self.allocate_list();
        // An empty first slab stays in `rest`, so that it is the next to be allocated.
        let allocated = usize::from(self.allocated().next().is_some());
        let (first, rest) = self.slabs.split_at_mut(allocated);
        let current: &mut [T] = first.first_mut().map_or(&mut [], Vec::as_mut_slice);
        Free {
            current_size: current.len(),
            current,
            rest: rest.iter_mut(),
            taken: 0,
        }
    }

    fn allocate_list(&mut self) {
        if self.slabs.is_empty() {
            self.slabs.resize_with(SLABS, Vec::new);
        }
    }
}

/// Allocates an empty slab with `count` values. Returns `false` if the system has not enough memory.
fn fill<T: Copy + Default>(slab: &mut Vec<T>, count: usize) -> bool {
    if slab.try_reserve_exact(count).is_err() {
        return false;
    }
    slab.resize(count, T::default());
    true
}

/// The free part of lent memory.
#[derive(Debug)]
pub(super) struct Free<'a, T> {
    /// The free part of the current slab.
    current: &'a mut [T],
    /// The size of the current slab, in values.
    current_size: usize,
    /// The slabs after the current one.
    rest: slice::IterMut<'a, Vec<T>>,
    taken: usize,
}

impl<'a, T: Copy + Default> Free<'a, T> {
    /// Splits off `count` values, which keep their former content. If the current slab has fewer, allocates a slab of at
    /// most `budget` bytes and subtracts it from the budget.
    #[inline]
    pub(super) fn take(&mut self, count: usize, budget: &mut usize) -> Option<&'a mut [T]> {
        if count > self.current.len() {
            self.next_slab(count, budget)?;
        }
        let (taken, free) = take(&mut self.current).split_at_mut(count);
        self.current = free;
        self.taken += count;
        Some(taken)
    }

    /// Returns the bytes taken so far.
    pub(super) fn taken_bytes(&self) -> usize {
        self.taken * size_of::<T>()
    }

    /// Allocates a slab for at least `count` values: of twice the size of the last if memory and budget allow it.
    #[cold]
    #[inline(never)]
    fn next_slab(&mut self, count: usize, budget: &mut usize) -> Option<()> {
        const MIN_BYTES: usize = 1024;
        let affordable = *budget / size_of::<T>();
        if count > affordable {
            return None;
        }
        let doubled = count
            .max(self.current_size.saturating_mul(2))
            .max(MIN_BYTES / size_of::<T>())
            .min(affordable);
        let slab = self.rest.next()?;
        if !fill(slab, doubled) && !fill(slab, count) {
            return None;
        }
        *budget -= slab.len() * size_of::<T>();
        self.current_size = slab.len();
        self.current = slab;
        Some(())
    }
}
