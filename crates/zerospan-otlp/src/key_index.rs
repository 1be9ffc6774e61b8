use zerospan_core::{Footprint, Reset};

/// Where the attributes of one span, event or link begin, found by the hash of their key.
///
/// A filter says of most new keys that they are new. Where it does not, up to [`FEW`] hashes are compared one by one, and
/// more are looked up in a table. Allocates for more than [`FEW`], when more are held than ever before.
#[derive(Clone, Debug, Default)]
pub(crate) struct KeyIndex {
    /// The bits that the hashes of the entries name: a hash whose bit is not set is of none of them.
    filter: [u64; 4],
    len: usize,
    /// The entries, as long as there are no more than [`FEW`].
    few: [Entry; FEW],
    /// All entries, once there are more.
    many: Vec<Entry>,
    /// Open addressing over all entries, once there are more than [`FEW`]: an entry's number plus 1, or 0. A power of two
    /// in length, at most half full.
    table: Vec<u32>,
    /// Whether a key that is held counts as a new one.
    pub(crate) repeats: bool,
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Entry {
    pub(crate) hash: u32,
    /// Where the attribute begins in its area.
    pub(crate) start: usize,
}

const FEW: usize = 16;

impl KeyIndex {
    pub(crate) fn new(repeats: bool) -> Self {
        Self {
            repeats,
            ..Self::default()
        }
    }

    #[inline(always)]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub(crate) fn entries(&self) -> &[Entry] {
        self.few.get(..self.len).unwrap_or(&self.many)
    }

    /// Whether there may be an entry that has `hash`: `false` of most that are not there, and of none that is.
    #[inline(always)]
    pub(crate) fn may_have(&self, hash: u32) -> bool {
        let (word, bit) = place(hash);
        self.filter[word] & bit != 0
    }

    /// The number of the entry that has `hash` and that `is_it` says yes to.
    #[inline]
    pub(crate) fn find(&self, hash: u32, is_it: impl Fn(&Entry) -> bool) -> Option<usize> {
        self.may_have(hash).then(|| self.search(hash, is_it))?
    }

    fn search(&self, hash: u32, is_it: impl Fn(&Entry) -> bool) -> Option<usize> {
        if self.repeats {
            return None;
        }
        if self.len > FEW {
            return self.look_up(hash, is_it);
        }
        let is_it = |entry: &Entry| entry.hash == hash && is_it(entry);
        self.entries().iter().position(is_it)
    }

    fn look_up(&self, hash: u32, is_it: impl Fn(&Entry) -> bool) -> Option<usize> {
        let mask = self.table.len() - 1;
        let mut slot = hash as usize & mask;
        loop {
            let index = (*self.table.get(slot)? as usize).checked_sub(1)?;
            let entry = self.many.get(index)?;
            if entry.hash == hash && is_it(entry) {
                return Some(index);
            }
            slot = (slot + 1) & mask;
        }
    }

    /// Adds an entry behind all others. It must not be there yet.
    #[inline(always)]
    pub(crate) fn push(&mut self, hash: u32, start: usize) {
        let entry = Entry { hash, start };
        let (word, bit) = place(hash);
        self.filter[word] |= bit;
        match self.few.get_mut(self.len) {
            Some(place) => *place = entry,
            None => self.push_further(entry),
        }
        self.len += 1;
    }

    #[inline(never)]
    fn push_further(&mut self, entry: Entry) {
        let is_first = self.len == FEW;
        if is_first {
            self.many.clear();
            self.many.extend_from_slice(&self.few);
        }
        self.many.push(entry);
        if is_first || self.table.len() < 2 * self.many.len() {
            self.enter_all();
        } else {
            self.enter(entry.hash, self.len);
        }
    }

    /// Enters all entries into a table that is large enough for as many again. What was in it is of an earlier span, or is
    /// entered anew.
    #[cold]
    fn enter_all(&mut self) {
        let slots = (4 * self.many.len()).next_power_of_two();
        self.table.clear();
        self.table.resize(slots, 0);
        for index in 0..self.many.len() {
            self.enter(self.many[index].hash, index);
        }
    }

    /// Enters the entry `index`, which has `hash`. The table has a free slot.
    #[inline(always)]
    fn enter(&mut self, hash: u32, index: usize) {
        let mask = self.table.len() - 1;
        let mut slot = hash as usize & mask;
        while self.table[slot] != 0 {
            slot = (slot + 1) & mask;
        }
        self.table[slot] = index as u32 + 1;
    }

    /// Moves the start of every entry from `first` on, since the length of something before it changed from `old` to `new`.
    pub(crate) fn shift(&mut self, first: usize, old: usize, new: usize) {
        let entries = match self.few.get_mut(..self.len) {
            Some(few) => few,
            None => &mut self.many,
        };
        for entry in &mut entries[first..] {
            entry.start = entry.start - old + new;
        }
    }

    pub(crate) fn reserve(&mut self, additional: usize) {
        if self.len + additional > FEW {
            let wanted = self.len + additional;
            self.many.reserve(wanted.saturating_sub(self.many.len()));
        }
    }
}

/// A hash's place in the filter, by bits that its place in the table is not taken from.
#[inline(always)]
fn place(hash: u32) -> (usize, u64) {
    ((hash >> 30) as usize, 1 << ((hash >> 24) & 63))
}

impl Reset for KeyIndex {
    #[inline]
    fn reset(&mut self) {
        self.len = 0;
        self.filter = [0; 4];
    }
}

impl Footprint for KeyIndex {
    fn heap_bytes(&self) -> usize {
        self.many.heap_bytes() + self.table.heap_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn finds_what_a_list_finds(
            uses in proptest::collection::vec(proptest::collection::vec(0_u32..400, 0..200), 1..4),
            weak in any::<bool>(),
        ) {
            let mut index = KeyIndex::default();
            for keys in uses {
                index.reset();
                let mut model: Vec<u32> = Vec::new();
                for key in keys {
                    // A weak hash makes keys collide.
                    let hash = if weak { key % 7 } else { key.wrapping_mul(0x9e37_79b9) };
                    let found = index.find(hash, |entry| entry.start == key as usize);
                    let expected = model.iter().position(|held| *held == key);
                    prop_assert_eq!(found, expected);
                    if expected.is_none() {
                        index.push(hash, key as usize);
                        model.push(key);
                    }
                }
                prop_assert_eq!(index.len(), model.len());
            }
        }
    }
}
