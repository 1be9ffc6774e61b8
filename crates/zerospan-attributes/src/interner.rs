use hashbrown::HashTable;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use zerospan_core::{Footprint, Reset};

/// Returns one `Arc<str>` for equal texts: for dynamic strings that repeat, such as routes, tenants and host names.
///
/// Keys and values of the API crate accept an `Arc<str>` as it is, so that an attribute of interned text does not
/// allocate. A known text does not allocate either; an unknown one is copied once.
///
/// **Bounded**, in entries and in bytes of text. A text that would exceed a bound evicts the least recently used ones. A
/// text that alone exceeds the bound in bytes is returned and not kept. An evicted text lives on in its holders.
///
/// Apart from reading the text, a hit takes constant time, and a miss takes constant time on average: a large text may
/// evict many small ones, each of which was added once. Texts may come from outside: by default they are hashed with a
/// random key, and the hash of a text is computed once per call.
///
/// An interner has one owner: a thread, a connection, or a `Mutex`.
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
    /// Indices into `entries`, by the hash of their text.
    table: HashTable<u32>,
    entries: Vec<Entry>,
    /// The ends of the list of entries in use, by their last use.
    newest: u32,
    oldest: u32,
    /// The first entry of the list of free ones, linked through `older`.
    free: u32,
    bytes: usize,
    max_entries: usize,
    max_bytes: usize,
    stats: InternerStats,
    hasher: S,
}

struct Entry {
    /// `None` in a free entry.
    text: Option<Arc<str>>,
    hash: u64,
    newer: u32,
    older: u32,
}

/// The end of a list.
const NONE: u32 = u32::MAX;

/// Counts of an [`Interner`]'s calls.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InternerStats {
    /// Calls with a known text, which do not allocate.
    pub hits: u64,
    /// Calls with an unknown text, which is copied.
    pub misses: u64,
    /// Texts evicted by others.
    pub evictions: u64,
    /// Misses whose text was not kept since it alone exceeds a bound.
    pub too_large: u64,
}

impl InternerStats {
    /// Returns the share of hits in all calls, from 0 to 1; 0 before the first call.
    pub fn hit_rate(&self) -> f64 {
        let calls = self.hits + self.misses;
        if calls == 0 {
            0.0
        } else {
            self.hits as f64 / calls as f64
        }
    }
}

impl Interner {
    /// Builds an interner that keeps at most `max_entries` texts of at most `max_bytes` in total. Does not allocate: memory
    /// grows with the texts that are kept.
    ///
    /// With a bound of 0 entries no text is kept, and with one of 0 bytes only the empty text.
    pub fn new(max_entries: usize, max_bytes: usize) -> Self {
        Self::with_hasher(max_entries, max_bytes, RandomState::new())
    }
}

impl<S: BuildHasher> Interner<S> {
    /// Builds an interner as [`new`](Interner::new) does, with another hasher. Use a hasher without a secret key for
    /// trusted texts only.
    pub fn with_hasher(max_entries: usize, max_bytes: usize, hasher: S) -> Self {
        Self {
            table: HashTable::new(),
            entries: Vec::new(),
            newest: NONE,
            oldest: NONE,
            free: NONE,
            bytes: 0,
            // Indices are `u32`, and `NONE` is reserved.
            max_entries: max_entries.min(NONE as usize - 1),
            max_bytes,
            stats: InternerStats::default(),
            hasher,
        }
    }

    /// Returns the shared form of `text`. Allocates only if the text is unknown: once for the copy, and for growth up to
    /// the bound in entries.
    pub fn intern(&mut self, text: &str) -> Arc<str> {
        let hash = self.hasher.hash_one(text);
        if let Some(index) = self.find(hash, text) {
            self.stats.hits += 1;
            self.unlink(index);
            self.link_as_newest(index);
            if let Some(known) = &self.entries[index as usize].text {
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

    /// Returns the shared form of `text` if it is known. Does not allocate, does not count, and is no use in the sense of
    /// eviction.
    pub fn peek(&self, text: &str) -> Option<&Arc<str>> {
        let index = self.find(self.hasher.hash_one(text), text)?;
        self.entries[index as usize].text.as_ref()
    }

    fn find(&self, hash: u64, text: &str) -> Option<u32> {
        let same = |index: &u32| {
            let entry = &self.entries[*index as usize];
            entry.hash == hash && entry.text.as_deref() == Some(text)
        };
        self.table.find(hash, same).copied()
    }
}

impl<S> Interner<S> {
    /// Returns the number of texts that are kept.
    #[inline]
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Returns `true` if no text is kept.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// Returns the total number of bytes of the texts that are kept.
    #[inline]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Returns the counts of the calls so far.
    #[inline]
    pub fn stats(&self) -> InternerStats {
        self.stats
    }

    /// Removes every text. Keeps the statistics and the memory of the table.
    pub fn clear(&mut self) {
        self.table.clear();
        self.entries.clear();
        (self.newest, self.oldest, self.free) = (NONE, NONE, NONE);
        self.bytes = 0;
    }

    fn keep(&mut self, hash: u64, text: Arc<str>) {
        self.bytes += text.len();
        let entry = Entry {
            text: Some(text),
            hash,
            newer: NONE,
            older: NONE,
        };
        let index = match self.entries.get_mut(self.free as usize) {
            Some(free) => {
                let index = self.free;
                self.free = free.older;
                *free = entry;
                index
            }
            None => {
                self.entries.push(entry);
                (self.entries.len() - 1) as u32
            }
        };
        let entries = &self.entries;
        self.table
            .insert_unique(hash, index, |&index| entries[index as usize].hash);
        self.link_as_newest(index);
    }

    fn evict_oldest(&mut self) {
        let index = self.oldest;
        self.unlink(index);
        let entry = &mut self.entries[index as usize];
        if let Ok(found) = self.table.find_entry(entry.hash, |&other| other == index) {
            found.remove();
        }
        if let Some(text) = entry.text.take() {
            self.bytes -= text.len();
        }
        entry.older = self.free;
        self.free = index;
        self.stats.evictions += 1;
    }

    fn unlink(&mut self, index: u32) {
        let Entry { newer, older, .. } = self.entries[index as usize];
        match self.entries.get_mut(newer as usize) {
            Some(entry) => entry.older = older,
            None => self.newest = older,
        }
        match self.entries.get_mut(older as usize) {
            Some(entry) => entry.newer = newer,
            None => self.oldest = newer,
        }
    }

    fn link_as_newest(&mut self, index: u32) {
        let older = self.newest;
        match self.entries.get_mut(older as usize) {
            Some(entry) => entry.newer = index,
            None => self.oldest = index,
        }
        let entry = &mut self.entries[index as usize];
        (entry.newer, entry.older) = (NONE, older);
        self.newest = index;
    }
}

/// Removes every text and clears the statistics.
impl<S> Reset for Interner<S> {
    fn reset(&mut self) {
        self.clear();
        self.stats = InternerStats::default();
    }
}

/// Counts the memory of the table and the texts that it keeps.
impl<S> Footprint for Interner<S> {
    fn heap_bytes(&self) -> usize {
        self.table.allocation_size() + self.entries.heap_bytes() + self.bytes
    }
}

/// At most 1,024 texts of 64 KiB in total.
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
