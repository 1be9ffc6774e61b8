use zerospan_core::{Footprint, Reset};

/// The number of entries that are held without a table.
const MAX_INLINE: usize = 16;

/// The index of the attributes of one span, event or link: finds where each begins by the hash of its key.
///
/// A Bloom filter recognises most new keys. Otherwise up to [`MAX_INLINE`] hashes are compared one by one, and more are looked up
/// in a table. Allocates to hold more than [`MAX_INLINE`] entries, when there are more than ever before.
#[derive(Clone, Debug, Default)]
pub(crate) struct KeyIndex {
    /// Of the hashes of the entries.
    filter: Filter,
    len: usize,
    /// The entries, if there are at most [`MAX_INLINE`].
    inline: [Entry; MAX_INLINE],
    /// All entries, if there are more.
    spilled: Vec<Entry>,
    /// A hash table with open addressing of the spilled entries: the number of an entry plus 1, or 0. Its length is a power of
    /// two, and it is at most half full.
    table: Vec<u32>,
    /// Treats every key as new, so that repeated keys are kept.
    pub(crate) keep_repeated: bool,
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Entry {
    pub(crate) hash: u32,
    /// The position of the attribute in its buffer.
    pub(crate) start: usize,
}

impl KeyIndex {
    pub(crate) fn new(keep_repeated: bool) -> Self {
        Self {
            keep_repeated,
            ..Self::default()
        }
    }

    #[inline(always)]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub(crate) fn entries(&self) -> &[Entry] {
        self.inline.get(..self.len).unwrap_or(&self.spilled)
    }

    /// Returns `false` only if no entry has `hash`.
    #[inline(always)]
    pub(crate) fn may_contain(&self, hash: u32) -> bool {
        self.filter.contains(hash)
    }

    /// Returns the number of the entry that has `hash` and that `is_match` accepts.
    #[inline]
    pub(crate) fn find(&self, hash: u32, is_match: impl Fn(&Entry) -> bool) -> Option<usize> {
        self.may_contain(hash)
            .then(|| self.search(hash, is_match))?
    }

    fn search(&self, hash: u32, is_match: impl Fn(&Entry) -> bool) -> Option<usize> {
        if self.keep_repeated {
            return None;
        }
        if self.len > MAX_INLINE {
            return self.look_up(hash, is_match);
        }
        let is_match = |entry: &Entry| entry.hash == hash && is_match(entry);
        self.entries().iter().position(is_match)
    }

    fn look_up(&self, hash: u32, is_match: impl Fn(&Entry) -> bool) -> Option<usize> {
        let mask = self.table.len() - 1;
        let mut slot = hash as usize & mask;
        loop {
            let index = (*self.table.get(slot)? as usize).checked_sub(1)?;
            let entry = self.spilled.get(index)?;
            if entry.hash == hash && is_match(entry) {
                return Some(index);
            }
            slot = (slot + 1) & mask;
        }
    }

    /// Adds an entry after all others. There must be none for the same key.
    #[inline(always)]
    pub(crate) fn push(&mut self, hash: u32, start: usize) {
        let entry = Entry { hash, start };
        self.filter.insert(hash);
        match self.inline.get_mut(self.len) {
            Some(slot) => *slot = entry,
            None => self.push_spilled(entry),
        }
        self.len += 1;
    }

    /// Returns `true` only if no key of `other` is held.
    #[inline]
    pub(crate) fn is_disjoint(&self, other: &Self) -> bool {
        self.filter.is_disjoint(&other.filter)
    }

    /// Returns `true` only if there is room for `count` entries without a table, and no key is held whose hash is in `filter`.
    #[inline(always)]
    pub(crate) fn takes_inline(&self, filter: &Filter, count: usize) -> bool {
        self.len + count <= MAX_INLINE && self.filter.is_disjoint(filter)
    }

    /// Adds an entry for which there is room without a table. Its hash is still to be added to the filter.
    #[inline(always)]
    pub(crate) fn push_inline(&mut self, hash: u32, start: usize) {
        if let Some(slot) = self.inline.get_mut(self.len) {
            *slot = Entry { hash, start };
            self.len += 1;
        }
    }

    /// Adds the hashes in `filter` to that of the index.
    #[inline(always)]
    pub(crate) fn extend_filter(&mut self, filter: &Filter) {
        self.filter.extend(filter);
    }

    /// Adds the entries of `other`, `offset` bytes later. None of their keys may be held.
    #[inline]
    pub(crate) fn push_all(&mut self, other: &Self, offset: usize) {
        let entries = other.entries();
        let end = self.len + entries.len();
        let Some(places) = self.inline.get_mut(self.len..end) else {
            for entry in entries {
                self.push(entry.hash, offset + entry.start);
            }
            return;
        };
        for (place, entry) in places.iter_mut().zip(entries) {
            *place = Entry {
                hash: entry.hash,
                start: offset + entry.start,
            };
        }
        self.filter.extend(&other.filter);
        self.len = end;
    }

    #[inline(never)]
    fn push_spilled(&mut self, entry: Entry) {
        let is_first = self.len == MAX_INLINE;
        if is_first {
            self.spilled.clear();
            self.spilled.extend_from_slice(&self.inline);
        }
        self.spilled.push(entry);
        if is_first || self.table.len() < 2 * self.spilled.len() {
            self.rebuild_table();
        } else {
            self.insert(entry.hash, self.len);
        }
    }

    /// Rebuilds the table with all entries, large enough for as many more.
    #[cold]
    fn rebuild_table(&mut self) {
        let slots = (4 * self.spilled.len()).next_power_of_two();
        self.table.clear();
        self.table.resize(slots, 0);
        for index in 0..self.spilled.len() {
            self.insert(self.spilled[index].hash, index);
        }
    }

    /// Inserts the entry `index`, which has `hash`, into the table, which has a free slot.
    #[inline(always)]
    fn insert(&mut self, hash: u32, index: usize) {
        let mask = self.table.len() - 1;
        let mut slot = hash as usize & mask;
        while self.table[slot] != 0 {
            slot = (slot + 1) & mask;
        }
        self.table[slot] = index as u32 + 1;
    }

    /// Moves the start of every entry from `first` on: the length of data before it changed from `old` to `new`.
    pub(crate) fn shift(&mut self, first: usize, old: usize, new: usize) {
        let entries = match self.inline.get_mut(..self.len) {
            Some(inline) => inline,
            None => &mut self.spilled,
        };
        for entry in &mut entries[first..] {
            entry.start = entry.start - old + new;
        }
    }

    /// Becomes a copy of `other`, in its own memory.
    #[inline]
    pub(crate) fn copy_from(&mut self, other: &Self) {
        self.filter = other.filter;
        self.len = other.len;
        self.keep_repeated = other.keep_repeated;
        match (
            self.inline.get_mut(..other.len),
            other.inline.get(..other.len),
        ) {
            (Some(to), Some(from)) => to.copy_from_slice(from),
            _ => {
                self.spilled.clone_from(&other.spilled);
                self.table.clone_from(&other.table);
            }
        }
    }

    /// Returns `true` if the index has never needed heap memory.
    #[inline(always)]
    pub(crate) fn is_small(&self) -> bool {
        self.spilled.capacity() == 0
    }

    pub(crate) fn reserve(&mut self, additional: usize) {
        if self.len + additional > MAX_INLINE {
            let wanted = self.len + additional;
            self.spilled
                .reserve(wanted.saturating_sub(self.spilled.len()));
        }
    }
}

/// A Bloom filter of hashes, with one bit for each: no false negatives.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Filter([u64; 4]);

impl Filter {
    pub(crate) const EMPTY: Self = Self([0; 4]);

    #[inline(always)]
    pub(crate) const fn insert(&mut self, hash: u32) {
        let (word, bit) = Self::bit(hash);
        self.0[word] |= bit;
    }

    #[inline(always)]
    fn contains(&self, hash: u32) -> bool {
        let (word, bit) = Self::bit(hash);
        self.0[word] & bit != 0
    }

    #[inline(always)]
    fn is_disjoint(&self, other: &Self) -> bool {
        let common = self.0.iter().zip(&other.0);
        common.fold(0, |common, (a, b)| common | a & b) == 0
    }

    #[inline(always)]
    fn extend(&mut self, other: &Self) {
        for (word, other) in self.0.iter_mut().zip(&other.0) {
            *word |= other;
        }
    }

    /// Returns the word and the bit of a hash. They come from bits that the slot in the table does not depend on.
    #[inline(always)]
    const fn bit(hash: u32) -> (usize, u64) {
        ((hash >> 30) as usize, 1 << ((hash >> 24) & 63))
    }
}

impl Reset for KeyIndex {
    #[inline]
    fn reset(&mut self) {
        self.len = 0;
        self.filter = Filter::EMPTY;
    }
}

impl Footprint for KeyIndex {
    fn heap_bytes(&self) -> usize {
        self.spilled.heap_bytes() + self.table.heap_bytes()
    }
}

#[cfg(test)]
mod tests;
