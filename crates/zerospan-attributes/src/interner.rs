use hashbrown::HashTable;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use zerospan_core::{Footprint, Reset};

/// Gives one `Arc<str>` for equal texts: for dynamic strings that repeat, such as routes, tenants and host names.
///
/// Both a key and a value of the API crate take an `Arc<str>` as it is, so an attribute made of interned text allocates
/// nothing. A text that is known allocates nothing either; one that is not is copied, once.
///
/// **Bounded**, in entries and in bytes of text. Where a further text would exceed one of the bounds, those that were not
/// asked for the longest go first. A text that alone exceeds the bound in bytes is handed out and not kept. What was evicted
/// lives on in whoever holds it.
///
/// Apart from reading the text, a hit takes constant time, and a miss too on average: a large text may evict many small ones,
/// each of which came in once. Texts
/// may come from outside: by default they are hashed with a key of this process, and the hash of a text is never computed
/// twice.
///
/// It is for one owner: a thread, a connection, or a `Mutex`.
///
/// # Examples
///
/// ```
/// use opentelemetry::KeyValue;
/// use std::sync::Arc;
/// use zerospan_attributes::Interner;
///
/// let mut tenants = Interner::new(1_000, 64 * 1024);
/// let first = tenants.intern(&String::from("acme"));
/// let again = tenants.intern("acme");
/// assert!(Arc::ptr_eq(&first, &again));
/// assert_eq!((tenants.stats().hits, tenants.stats().misses), (1, 1));
///
/// let attribute = KeyValue::new("tenant", again);
/// # drop(attribute);
/// ```
pub struct Interner<S = RandomState> {
    /// Indices of `slots`, by the hash of their text.
    table: HashTable<u32>,
    slots: Vec<Slot>,
    /// A chain through the slots in use, from the one asked for last to the one not asked for the longest.
    newest: u32,
    oldest: u32,
    /// A chain through the slots not in use.
    free: u32,
    bytes: usize,
    max_entries: usize,
    max_bytes: usize,
    stats: InternerStats,
    hasher: S,
}

struct Slot {
    /// `None` in a slot that is not in use.
    text: Option<Arc<str>>,
    hash: u64,
    newer: u32,
    older: u32,
}

/// No slot.
const NONE: u32 = u32::MAX;

/// What became of the texts that an [`Interner`] was asked for.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InternerStats {
    /// The text was known: nothing was allocated.
    pub hits: u64,
    /// The text was not known: it was copied.
    pub misses: u64,
    /// Texts that gave way to others.
    pub evictions: u64,
    /// Misses whose text was not kept, since it alone exceeds a bound.
    pub too_large: u64,
}

impl InternerStats {
    /// The share of hits in all texts asked for, from 0 to 1; 0 before the first.
    pub fn hit_rate(&self) -> f64 {
        let asked = self.hits + self.misses;
        if asked == 0 {
            0.0
        } else {
            self.hits as f64 / asked as f64
        }
    }
}

impl Interner {
    /// An interner that keeps at most `max_entries` texts of at most `max_bytes` in all. Does not allocate: what it needs
    /// grows with what it keeps.
    ///
    /// With a bound of 0 entries nothing is kept, with one of 0 bytes only the empty text.
    pub fn new(max_entries: usize, max_bytes: usize) -> Self {
        Self::with_hasher(max_entries, max_bytes, RandomState::new())
    }
}

impl<S: BuildHasher> Interner<S> {
    /// As [`new`](Interner::new), with a hasher of your choice. A hasher without a secret key is for trusted texts only.
    pub fn with_hasher(max_entries: usize, max_bytes: usize, hasher: S) -> Self {
        Self {
            table: HashTable::new(),
            slots: Vec::new(),
            newest: NONE,
            oldest: NONE,
            free: NONE,
            bytes: 0,
            // Indices are `u32`, and one of them says that there is none.
            max_entries: max_entries.min(NONE as usize - 1),
            max_bytes,
            stats: InternerStats::default(),
            hasher,
        }
    }

    /// The shared form of `text`. Allocates only if the text is not known: once for the copy, and for growth up to the bound
    /// in entries.
    pub fn intern(&mut self, text: &str) -> Arc<str> {
        let hash = self.hasher.hash_one(text);
        if let Some(index) = self.find(hash, text) {
            self.stats.hits += 1;
            self.unlink(index);
            self.link_as_newest(index);
            if let Some(known) = &self.slots[index as usize].text {
                return Arc::clone(known);
            }
        }
        self.stats.misses += 1;
        let copy: Arc<str> = text.into();
        if self.max_entries == 0 || text.len() > self.max_bytes {
            self.stats.too_large += 1;
        } else {
            while self.table.len() >= self.max_entries || self.bytes > self.max_bytes - text.len() {
                self.evict_oldest();
            }
            self.keep(hash, Arc::clone(&copy));
        }
        copy
    }

    /// The shared form of `text` if it is known. Neither counts nor keeps the text from being evicted; does not allocate.
    pub fn peek(&self, text: &str) -> Option<&Arc<str>> {
        let index = self.find(self.hasher.hash_one(text), text)?;
        self.slots[index as usize].text.as_ref()
    }

    fn find(&self, hash: u64, text: &str) -> Option<u32> {
        let same = |index: &u32| {
            let slot = &self.slots[*index as usize];
            slot.hash == hash && slot.text.as_deref() == Some(text)
        };
        self.table.find(hash, same).copied()
    }
}

impl<S> Interner<S> {
    /// How many texts are kept.
    #[inline]
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether no text is kept.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// How many bytes the texts that are kept have in all.
    #[inline]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// What became of the texts asked for.
    #[inline]
    pub fn stats(&self) -> InternerStats {
        self.stats
    }

    /// Lets go of every text, and keeps the statistics and the memory for the next ones.
    pub fn clear(&mut self) {
        self.table.clear();
        self.slots.clear();
        (self.newest, self.oldest, self.free) = (NONE, NONE, NONE);
        self.bytes = 0;
    }

    fn keep(&mut self, hash: u64, text: Arc<str>) {
        self.bytes += text.len();
        let slot = Slot {
            text: Some(text),
            hash,
            newer: NONE,
            older: NONE,
        };
        let index = match self.slots.get_mut(self.free as usize) {
            Some(free) => {
                let index = self.free;
                self.free = free.older;
                *free = slot;
                index
            }
            None => {
                self.slots.push(slot);
                (self.slots.len() - 1) as u32
            }
        };
        let slots = &self.slots;
        self.table
            .insert_unique(hash, index, |&index| slots[index as usize].hash);
        self.link_as_newest(index);
    }

    fn evict_oldest(&mut self) {
        let index = self.oldest;
        self.unlink(index);
        let slot = &mut self.slots[index as usize];
        if let Ok(entry) = self.table.find_entry(slot.hash, |&other| other == index) {
            entry.remove();
        }
        if let Some(text) = slot.text.take() {
            self.bytes -= text.len();
        }
        slot.older = self.free;
        self.free = index;
        self.stats.evictions += 1;
    }

    fn unlink(&mut self, index: u32) {
        let Slot { newer, older, .. } = self.slots[index as usize];
        match self.slots.get_mut(newer as usize) {
            Some(slot) => slot.older = older,
            None => self.newest = older,
        }
        match self.slots.get_mut(older as usize) {
            Some(slot) => slot.newer = newer,
            None => self.oldest = newer,
        }
    }

    fn link_as_newest(&mut self, index: u32) {
        let older = self.newest;
        match self.slots.get_mut(older as usize) {
            Some(slot) => slot.newer = index,
            None => self.oldest = index,
        }
        let slot = &mut self.slots[index as usize];
        (slot.newer, slot.older) = (NONE, older);
        self.newest = index;
    }
}

/// Lets go of every text and begins the statistics anew.
impl<S> Reset for Interner<S> {
    fn reset(&mut self) {
        self.clear();
        self.stats = InternerStats::default();
    }
}

/// The memory of the table, and the texts that it keeps.
impl<S> Footprint for Interner<S> {
    fn heap_bytes(&self) -> usize {
        self.table.allocation_size() + self.slots.heap_bytes() + self.bytes
    }
}

/// 1,024 texts of 64 KiB in all.
impl Default for Interner {
    fn default() -> Self {
        Self::new(1024, 64 * 1024)
    }
}

impl<S> fmt::Debug for Interner<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Interner")
            .field("len", &self.len())
            .field("max_entries", &self.max_entries)
            .field("bytes", &self.bytes)
            .field("max_bytes", &self.max_bytes)
            .field("stats", &self.stats)
            .finish_non_exhaustive()
    }
}
