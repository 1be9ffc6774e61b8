use crate::base::item::item_len;
use crate::base::limits::Limits;
use crate::base::scope::Scope;
use crate::base::stats::{DropCause, DropCounts};
use zerospan_core::prefetch;

/// The distance of the memory that is fetched from that which is written: some spans.
const FETCH_AHEAD: usize = 1024;

/// Memory for so many runs and scopes comes with a chunk.
const USUAL_SCOPES: usize = 4;

/// Encoded items of one thread, in the order in which they were recorded, in runs of one scope each.
///
/// A chunk that is charged for no memory is vacant: an idle thread holds one.
#[derive(Debug, Default)]
pub(crate) struct Chunk {
    bytes: Vec<u8>,
    runs: Vec<Run>,
    /// The scopes that `runs` index: few, and each once.
    scopes: Vec<Scope>,
    items: usize,
    /// The chunk is full at this many bytes, 0 while it is vacant, or at `max_items`.
    full_at: usize,
    max_items: usize,
    /// Bytes of the pipeline's memory that the chunk's buffer is charged for.
    pub(crate) charged: usize,
}

/// Adjacent items of one scope.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    /// Index into the chunk's scopes.
    pub(crate) scope: u32,
    pub(crate) items: u32,
    /// End of the run in the chunk's bytes. It begins at the end of the run before.
    pub(crate) end: usize,
}

impl Chunk {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            bytes: Vec::with_capacity(limits.chunk_bytes),
            runs: Vec::with_capacity(USUAL_SCOPES),
            scopes: Vec::with_capacity(USUAL_SCOPES),
            full_at: limits.chunk_full_at,
            max_items: limits.chunk_items,
            charged: limits.chunk_bytes,
            ..Self::default()
        }
    }

    /// Fetches the memory of the first items, which another processor has read or written.
    ///
    /// Every item then fetches the memory of a later one, as much as it takes itself.
    pub(crate) fn fetch_start(&self) {
        prefetch::for_writing(&self.bytes, 0, FETCH_AHEAD);
    }

    /// Returns `true` if the chunk takes no further item and is to be handed over. A vacant chunk is full.
    #[inline]
    pub(crate) fn is_full(&self) -> bool {
        self.bytes.len() >= self.full_at || self.items >= self.max_items
    }

    #[inline]
    pub(crate) fn is_vacant(&self) -> bool {
        self.charged == 0
    }

    #[inline]
    pub(crate) fn items(&self) -> usize {
        self.items
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    #[inline]
    pub(crate) fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn runs(&self) -> &[Run] {
        &self.runs
    }

    pub(crate) fn scope(&self, run: Run) -> &Scope {
        &self.scopes[run.scope as usize]
    }

    /// Lets `encode` append one item, checks it, and returns its length.
    ///
    /// On an error or a panic, the chunk is as before and the item is counted in `dropped`.
    #[inline]
    pub(crate) fn append(
        &mut self,
        scope: &Scope,
        max_bytes: usize,
        dropped: &mut DropCounts,
        encode: impl FnOnce(&mut Vec<u8>),
    ) -> Result<usize, DropCause> {
        let start = self.bytes.len();
        let mut rollback = Rollback {
            chunk: self,
            start,
            dropped,
            cause: DropCause::Malformed,
        };
        encode(&mut rollback.chunk.bytes);
        let item = rollback.chunk.bytes.get(start..).unwrap_or_default();
        let len = item.len();
        if item_len(item) != Some(len) {
            return Err(DropCause::Malformed);
        }
        if len > max_bytes {
            rollback.cause = DropCause::TooLarge;
            return Err(DropCause::TooLarge);
        }
        std::mem::forget(rollback);
        self.count(scope, 1);
        self.fetch_ahead(start);
        if self.bytes.capacity() > self.charged && !self.is_full() {
            // The encoder reserved more than it used. A full chunk is charged for its growth at once.
            self.free_uncharged();
        }
        Ok(len)
    }

    /// Lets `encode` append one item and returns its length, without the checks of [`append`](Self::append): `encode` appends
    /// one whole item and does not panic.
    #[inline]
    pub(crate) fn append_trusted(
        &mut self,
        scope: &Scope,
        max_bytes: usize,
        dropped: &mut DropCounts,
        encode: impl FnOnce(&mut Vec<u8>),
    ) -> Result<usize, DropCause> {
        let start = self.bytes.len();
        encode(&mut self.bytes);
        let len = self.bytes.len() - start;
        if len > max_bytes {
            self.bytes.truncate(start);
            self.free_uncharged();
            dropped.add(DropCause::TooLarge, 1);
            return Err(DropCause::TooLarge);
        }
        self.count(scope, 1);
        self.fetch_ahead(start);
        Ok(len)
    }

    /// Fetches memory for later items: [`FETCH_AHEAD`] bytes after the items, of which those before the last one, which begins
    /// at `start`, fetched the first.
    #[inline(always)]
    fn fetch_ahead(&self, start: usize) {
        let end = self.bytes.len();
        let fetched = start + FETCH_AHEAD;
        prefetch::for_writing(&self.bytes, fetched.max(end), end + FETCH_AHEAD);
    }

    /// Removes the last item, whose length is `len`.
    pub(crate) fn remove_last(&mut self, len: usize) {
        let start = self.bytes.len() - len;
        self.bytes.truncate(start);
        self.items -= 1;
        if let Some(run) = self.runs.last_mut() {
            run.end = start;
            run.items -= 1;
            if run.items == 0 {
                self.runs.pop();
            }
        }
    }

    /// Appends a copy of all items of `other`.
    pub(crate) fn append_from(&mut self, other: &Self) {
        let mut start = 0;
        for &run in &other.runs {
            self.bytes.extend_from_slice(&other.bytes[start..run.end]);
            start = run.end;
            self.count(other.scope(run), run.items);
        }
    }

    /// Counts `items` items of `scope` that were appended to the bytes.
    #[inline]
    fn count(&mut self, scope: &Scope, items: u32) {
        self.items += items as usize;
        let end = self.bytes.len();
        if let Some(run) = self.runs.last_mut()
            && self.scopes[run.scope as usize].is_same(scope)
        {
            run.items += items;
            run.end = end;
            return;
        }
        self.start_run(scope, items, end);
    }

    #[cold]
    fn start_run(&mut self, scope: &Scope, items: u32, end: usize) {
        let known = self.scopes.iter().position(|known| known.is_same(scope));
        let scope = known.unwrap_or_else(|| {
            self.scopes.push(scope.clone());
            self.scopes.len() - 1
        });
        self.runs.push(Run {
            scope: scope as u32,
            items,
            end,
        });
    }

    /// Removes the items and keeps the memory, up to `capacity`.
    pub(crate) fn reset(&mut self, capacity: usize) {
        self.bytes.clear();
        self.runs.clear();
        self.scopes.clear();
        self.items = 0;
        self.shrink_to(capacity);
    }

    /// Frees memory that the buffer grew by and that is not charged for, as far as no item is in it.
    #[cold]
    pub(crate) fn free_uncharged(&mut self) {
        self.shrink_to(self.charged);
    }

    fn shrink_to(&mut self, capacity: usize) {
        if self.bytes.capacity() > capacity {
            self.bytes.shrink_to(capacity);
        }
    }
}

/// Removes the bytes that an encoder wrote and counts the item as dropped, unless it is forgotten.
struct Rollback<'a> {
    chunk: &'a mut Chunk,
    start: usize,
    dropped: &'a mut DropCounts,
    cause: DropCause,
}

impl Drop for Rollback<'_> {
    fn drop(&mut self) {
        if self.chunk.bytes.len() < self.start {
            // The encoder removed earlier items: the bounds of the others are lost.
            self.dropped.add(self.cause, self.chunk.items as u64);
            self.chunk.reset(self.chunk.capacity());
        } else {
            self.chunk.bytes.truncate(self.start);
        }
        self.chunk.free_uncharged();
        self.dropped.add(self.cause, 1);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::base::batch_config::BatchConfig;
    use opentelemetry::InstrumentationScope;
    use std::time::Duration;

    /// An item of 5 bytes.
    const ITEM: [u8; 5] = [0x12, 3, 7, 7, 7];

    fn limits() -> Limits {
        let config = BatchConfig {
            chunk_bytes: 1024,
            ..BatchConfig::default()
        };
        let limits = config.limits(None, Duration::ZERO);
        limits.expect("they are in order")
    }

    fn scope(name: &'static str) -> Scope {
        Scope::new(&InstrumentationScope::builder(name).build())
    }

    fn add(chunk: &mut Chunk, scope: &Scope) {
        let mut dropped = DropCounts::default();
        let encode = |bytes: &mut Vec<u8>| bytes.extend_from_slice(&ITEM);
        assert_eq!(chunk.append(scope, 5, &mut dropped, encode), Ok(5));
        assert_eq!(dropped.total(), 0);
    }

    fn runs(chunk: &Chunk) -> Vec<(u32, u32, usize)> {
        chunk
            .runs()
            .iter()
            .map(|run| (run.scope, run.items, run.end))
            .collect()
    }

    #[test]
    fn items_of_one_scope_form_a_run_and_the_last_can_be_removed() {
        let (first, second) = (scope("first"), scope("second"));
        let mut chunk = Chunk::new(&limits());
        assert!(!chunk.is_vacant() && Chunk::default().is_vacant());
        assert!(!chunk.is_full() && Chunk::default().is_full());
        for scope in [&first, &first, &second, &first] {
            add(&mut chunk, scope);
        }
        assert_eq!(runs(&chunk), [(0, 2, 10), (1, 1, 15), (0, 1, 20)]);
        assert_eq!(
            (chunk.items(), chunk.len(), chunk.bytes()),
            (4, 20, &*ITEM.repeat(4))
        );

        let mut copy = Chunk::new(&limits());
        copy.append_from(&chunk);
        copy.append_from(&chunk);
        assert_eq!(
            runs(&copy),
            [(0, 2, 10), (1, 1, 15), (0, 3, 30), (1, 1, 35), (0, 1, 40)]
        );
        assert_eq!(copy.items(), 8);

        chunk.remove_last(5);
        chunk.remove_last(5);
        chunk.remove_last(5);
        assert_eq!(
            (runs(&chunk), chunk.items(), chunk.len()),
            (vec![(0, 1, 5)], 1, 5)
        );
        chunk.reset(1024);
        assert_eq!((runs(&chunk), chunk.items(), chunk.len()), (vec![], 0, 0));
        assert!(chunk.capacity() >= 1024);
    }

    #[test]
    fn memory_that_an_encoder_reserves_and_does_not_use_is_freed() {
        let (scope, mut dropped) = (scope("scope"), DropCounts::default());
        let mut chunk = Chunk::new(&limits());
        let encode = |bytes: &mut Vec<u8>| {
            bytes.reserve(1 << 20);
            bytes.extend_from_slice(&ITEM);
        };
        assert_eq!(chunk.append(&scope, 5, &mut dropped, encode), Ok(5));
        assert_eq!(chunk.capacity(), chunk.charged);
        assert_eq!((chunk.items(), chunk.bytes()), (1, &ITEM[..]));
    }

    #[test]
    fn an_item_beyond_the_maximum_leaves_neither_bytes_nor_memory() {
        let (scope, mut dropped) = (scope("scope"), DropCounts::default());
        let mut chunk = Chunk::new(&limits());
        add(&mut chunk, &scope);
        let large = |bytes: &mut Vec<u8>| {
            bytes.extend_from_slice(&[0x12, 0x80, 0x20]);
            bytes.resize(bytes.len() + 4096, 7);
        };
        let error = Err(DropCause::TooLarge);
        assert_eq!(chunk.append(&scope, 4098, &mut dropped, large), error);
        assert_eq!(
            chunk.append_trusted(&scope, 4098, &mut dropped, large),
            error
        );
        assert_eq!(dropped.by(DropCause::TooLarge), 2);
        assert_eq!((runs(&chunk), chunk.bytes()), (vec![(0, 1, 5)], &ITEM[..]));
        assert_eq!(chunk.capacity(), 1024);
        assert_eq!(
            chunk.append_trusted(&scope, 4099, &mut dropped, large),
            Ok(4099)
        );
        assert_eq!(runs(&chunk), [(0, 2, 4104)]);
        assert!(chunk.is_full());

        let wrong = |bytes: &mut Vec<u8>| bytes.push(1);
        let error = Err(DropCause::Malformed);
        assert_eq!(chunk.append(&scope, 4096, &mut dropped, wrong), error);
        assert_eq!(chunk.len(), 4104);
    }

    #[test]
    fn a_chunk_is_full_at_its_bytes_or_at_its_items() {
        let scope = scope("scope");
        let mut limits = limits();
        limits.chunk_items = 2;
        let mut chunk = Chunk::new(&limits);
        add(&mut chunk, &scope);
        assert!(!chunk.is_full());
        add(&mut chunk, &scope);
        assert!(chunk.is_full());
        limits.chunk_items = usize::MAX;
        limits.chunk_full_at = 10;
        let mut chunk = Chunk::new(&limits);
        add(&mut chunk, &scope);
        assert!(!chunk.is_full());
        add(&mut chunk, &scope);
        assert!(chunk.is_full());
    }
}
