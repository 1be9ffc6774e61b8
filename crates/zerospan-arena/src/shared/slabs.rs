use std::mem::take;
use std::slice;

/// Memory that grows while parts of it are lent: a fixed row of slabs, each allocated when those before it are used up.
///
/// This is what makes the lending safe without unsafe code: [`lend`](Self::lend) splits the row into exclusive references,
/// and [`Free::take`] splits them on. What it hands out is detached from whatever lock it was taken under.
#[derive(Debug)]
pub(super) struct Slabs<T> {
    slabs: Vec<Vec<T>>,
}

/// Slabs double, so that this many exhaust any memory.
const SLABS: usize = 48;

impl<T: Copy + Default> Slabs<T> {
    pub(super) fn new() -> Self {
        Self { slabs: Vec::new() }
    }

    /// The bytes that all slabs hold.
    pub(super) fn bytes(&self) -> usize {
        self.opened().map(|slab| size_of_val(&slab[..])).sum()
    }

    /// The slabs that have memory: the first ones of the row.
    fn opened(&self) -> impl Iterator<Item = &Vec<T>> {
        self.slabs.iter().take_while(|slab| !slab.is_empty())
    }

    /// The bytes of the row of slabs itself.
    pub(super) fn overhead(&self) -> usize {
        self.slabs.capacity() * size_of::<Vec<T>>()
    }

    /// Brings the memory down to one slab as large as all, or none where that is more than `most` bytes.
    pub(super) fn settle(&mut self, most: usize) {
        let bytes = self.bytes();
        if bytes <= most && self.opened().nth(1).is_none() {
            return;
        }
        for slab in &mut self.slabs {
            *slab = Vec::new();
        }
        if let Some(first) = self.slabs.first_mut() {
            // Where there is no such memory, the next use allocates what it needs, and says so if it cannot.
            let _ = fill(first, bytes.min(most) / size_of::<T>());
        }
    }

    /// Makes room for `count` values in the first slab, if nothing has been allocated. Says whether it could.
    pub(super) fn prepare(&mut self, count: usize) -> bool {
        self.row();
        self.slabs
            .first_mut()
            .is_none_or(|first| !first.is_empty() || fill(first, count))
    }

    /// Lends all memory, as unused.
    pub(super) fn lend(&mut self) -> Free<'_, T> {
        self.row();
        // A first slab without memory is opened like any other, so that those with memory stay in front.
        let opened = usize::from(self.opened().next().is_some());
        let (opened, unopened) = self.slabs.split_at_mut(opened);
        let open: &mut [T] = opened.first_mut().map_or(&mut [], Vec::as_mut_slice);
        Free {
            last: open.len(),
            open,
            unopened: unopened.iter_mut(),
            taken: 0,
        }
    }

    fn row(&mut self) {
        if self.slabs.is_empty() {
            self.slabs.resize_with(SLABS, Vec::new);
        }
    }
}

/// Fills an empty slab with `count` values. Says whether there was the memory.
fn fill<T: Copy + Default>(slab: &mut Vec<T>, count: usize) -> bool {
    if slab.try_reserve_exact(count).is_err() {
        return false;
    }
    slab.resize(count, T::default());
    true
}

/// What is left of lent memory.
#[derive(Debug)]
pub(super) struct Free<'a, T> {
    open: &'a mut [T],
    unopened: slice::IterMut<'a, Vec<T>>,
    /// The size of the open slab, in values.
    last: usize,
    taken: usize,
}

impl<'a, T: Copy + Default> Free<'a, T> {
    /// Takes `count` values, which keep what the memory last held. Allocates a slab of at most `budget` bytes where the
    /// open one has not as many left, and subtracts it from the budget.
    #[inline]
    pub(super) fn take(&mut self, count: usize, budget: &mut usize) -> Option<&'a mut [T]> {
        if count > self.open.len() {
            self.open_slab(count, budget)?;
        }
        let (taken, rest) = take(&mut self.open).split_at_mut(count);
        self.open = rest;
        self.taken += count;
        Some(taken)
    }

    /// The bytes taken so far.
    pub(super) fn taken_bytes(&self) -> usize {
        self.taken * size_of::<T>()
    }

    /// Opens a slab for at least `count` values: twice the last one where there is the memory and the budget for it.
    #[cold]
    #[inline(never)]
    fn open_slab(&mut self, count: usize, budget: &mut usize) -> Option<()> {
        /// The least that a slab holds, in bytes.
        const LEAST: usize = 1024;
        let affordable = *budget / size_of::<T>();
        if count > affordable {
            return None;
        }
        let ample = count
            .max(self.last.saturating_mul(2))
            .max(LEAST / size_of::<T>())
            .min(affordable);
        let slab = self.unopened.next()?;
        if !fill(slab, ample) && !fill(slab, count) {
            return None;
        }
        *budget -= slab.len() * size_of::<T>();
        self.last = slab.len();
        self.open = slab;
        Some(())
    }
}
