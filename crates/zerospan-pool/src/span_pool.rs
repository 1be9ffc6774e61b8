use crate::base::stats::PoolStats;
use crate::pool::{Pool, Pooled};
use crate::thread_cache;
use crate::thread_cached::pool::ThreadCachedPool;
use opentelemetry::trace::{SpanContext, SpanId, SpanKind, Status};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};
use std::borrow::Cow;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::time::SystemTime;
use zerospan_core::Recycle;
use zerospan_core::sync::LazyBox;

/// The process-wide span pool: 1,024 spans, created at the first use.
///
/// # Examples
///
/// ```
/// use zerospan_pool::GLOBAL_SPAN_POOL;
///
/// let mut span = GLOBAL_SPAN_POOL.acquire();
/// span.name = "GET /users/{id}".into();
/// drop(span);
///
/// assert_eq!(GLOBAL_SPAN_POOL.acquire().name, "");
/// ```
pub static GLOBAL_SPAN_POOL: LazyBox<SpanPool> = LazyBox::new(|| SpanPool::new(1024));

/// Lends spans of the official SDK, with room for attributes, events and links, and takes them back on drop.
///
/// A [`ThreadCachedPool`] of boxed [`SpanData`]: see there for its bounds and its handling of threads and panics.
///
/// # Examples
///
/// ```
/// use opentelemetry::KeyValue;
/// use zerospan_pool::SpanPool;
///
/// let pool = SpanPool::new(64);
/// let mut span = pool.acquire();
/// span.name = "checkout".into();
/// span.attributes.push(KeyValue::new("cart.items", 3));
/// span.release();
///
/// let span = pool.acquire();
/// assert!(span.name.is_empty() && span.attributes.is_empty());
/// assert!(span.attributes.capacity() >= 16);
/// ```
#[derive(Debug)]
pub struct SpanPool {
    spans: ThreadCachedPool<Box<SpanData>, SpanRecycle, SpanThreads>,
}

/// [`SpanPool::new`] preallocates at most this many spans.
const MAX_PREALLOCATED: usize = 16_384;

impl SpanPool {
    /// Builds a pool of `capacity` spans and creates them: 4 allocations each, about 2.2 KB together.
    ///
    /// Creates at most 16,384 spans; further ones are created when they are first needed. At capacity 0 every span is
    /// created when it is acquired.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self::with_recycle(capacity, SpanRecycle::default())
    }

    /// Builds a pool as [`new`](Self::new) does, of spans with the capacities that `recycle` sets.
    #[must_use]
    pub fn with_recycle(capacity: usize, recycle: SpanRecycle) -> Self {
        let spans = ThreadCachedPool::with_recycle(capacity, recycle);
        spans.warm_up(capacity.min(MAX_PREALLOCATED));
        Self { spans }
    }

    /// Keeps only spans that retain at most `bytes` of heap memory, including the boxed span; 64 KiB by default.
    #[must_use]
    pub fn with_retention_limit(mut self, bytes: usize) -> Self {
        self.spans = self.spans.with_retention_limit(bytes);
        self
    }

    /// Lends an empty span. Creates one if the pool is empty: 4 allocations.
    #[inline]
    pub fn acquire(&self) -> PooledSpan<'_> {
        PooledSpan(self.spans.acquire())
    }

    /// Returns the number of spans that the pool keeps.
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// Returns `true` if the pool keeps no span.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// Returns the maximum number of spans that the pool keeps.
    pub fn capacity(&self) -> usize {
        self.spans.capacity()
    }

    /// Returns the counts of the pool's operations since it was built.
    pub fn stats(&self) -> PoolStats {
        self.spans.stats()
    }

    /// Returns the pool inside, for [`shrink`](Pool::shrink), [`flush`](ThreadCachedPool::flush) and the rest.
    pub fn as_pool(&self) -> &ThreadCachedPool<Box<SpanData>, SpanRecycle, SpanThreads> {
        &self.spans
    }
}

/// A guard of a span on loan: resets the span and returns it to its [`SpanPool`] when it is dropped.
///
/// The next loan can read nothing of it. A guard dropped while its thread panics discards the span.
pub struct PooledSpan<'pool>(
    Pooled<&'pool ThreadCachedPool<Box<SpanData>, SpanRecycle, SpanThreads>>,
);

impl PooledSpan<'_> {
    /// Returns the span for writing, as the dereference does.
    #[inline]
    pub fn get_mut(&mut self) -> &mut SpanData {
        self
    }

    /// Returns the span to the pool.
    #[inline]
    pub fn release(self) {
        self.0.release();
    }

    /// Takes the span out of the guard, to hand it to an exporter for instance: it does not return to the pool.
    #[inline]
    #[must_use = "a detached span does not return to its pool"]
    pub fn detach(self) -> Box<SpanData> {
        self.0.detach()
    }
}

impl Deref for PooledSpan<'_> {
    type Target = SpanData;

    #[inline]
    fn deref(&self) -> &SpanData {
        &self.0
    }
}

impl DerefMut for PooledSpan<'_> {
    #[inline]
    fn deref_mut(&mut self) -> &mut SpanData {
        &mut self.0
    }
}

impl fmt::Debug for PooledSpan<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PooledSpan").field(&**self).finish()
    }
}

/// Creates, resets and measures boxed [`SpanData`], for any pool of this crate.
///
/// A created span is empty: no name, invalid ids, both times at the Unix epoch, kind internal, status unset, an empty
/// scope. A reset restores every field to that and keeps the vectors of attributes, events and links. It frees the
/// events and links themselves, with their attribute vectors, and owned names and values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpanRecycle {
    attributes: usize,
    events: usize,
    links: usize,
}

impl SpanRecycle {
    /// Sets the capacity of a created span for attributes; 16 by default.
    #[must_use]
    pub fn with_attribute_capacity(mut self, attributes: usize) -> Self {
        self.attributes = attributes;
        self
    }

    /// Sets the capacity of a created span for events; 8 by default.
    #[must_use]
    pub fn with_event_capacity(mut self, events: usize) -> Self {
        self.events = events;
        self
    }

    /// Sets the capacity of a created span for links; 4 by default.
    #[must_use]
    pub fn with_link_capacity(mut self, links: usize) -> Self {
        self.links = links;
        self
    }
}

impl Default for SpanRecycle {
    fn default() -> Self {
        Self {
            attributes: 16,
            events: 8,
            links: 4,
        }
    }
}

impl Recycle<Box<SpanData>> for SpanRecycle {
    fn create(&self) -> Box<SpanData> {
        let (mut events, mut links) = (SpanEvents::default(), SpanLinks::default());
        events.events.reserve_exact(self.events);
        links.links.reserve_exact(self.links);
        Box::new(SpanData {
            span_context: SpanContext::NONE,
            parent_span_id: SpanId::INVALID,
            parent_span_is_remote: false,
            span_kind: SpanKind::Internal,
            name: Cow::Borrowed(""),
            start_time: SystemTime::UNIX_EPOCH,
            end_time: SystemTime::UNIX_EPOCH,
            attributes: Vec::with_capacity(self.attributes),
            dropped_attributes_count: 0,
            events,
            links,
            status: Status::Unset,
            instrumentation_scope: vacant_scope(),
        })
    }

    #[inline]
    fn reset(&self, span: &mut Box<SpanData>) {
        // Destructured, so that a field of a later SDK is a compile error rather than left as it is.
        let SpanData {
            span_context,
            parent_span_id,
            parent_span_is_remote,
            span_kind,
            name,
            start_time,
            end_time,
            attributes,
            dropped_attributes_count,
            events,
            links,
            status,
            instrumentation_scope,
        } = &mut **span;
        *span_context = SpanContext::NONE;
        *parent_span_id = SpanId::INVALID;
        *parent_span_is_remote = false;
        *span_kind = SpanKind::Internal;
        *name = Cow::Borrowed("");
        *start_time = SystemTime::UNIX_EPOCH;
        *end_time = SystemTime::UNIX_EPOCH;
        clear(attributes);
        *dropped_attributes_count = 0;
        clear(&mut events.events);
        events.dropped_count = 0;
        clear(&mut links.links);
        links.dropped_count = 0;
        *status = Status::Unset;
        // Dropping a vacant scope takes 50 instructions to find out that there is nothing to free.
        if !is_vacant(instrumentation_scope) {
            *instrumentation_scope = vacant_scope();
        }
    }

    /// Counts the boxed span and the vectors of attributes, events and links.
    #[inline]
    fn heap_bytes(&self, span: &Box<SpanData>) -> usize {
        fn bytes<T>(vector: &Vec<T>) -> usize {
            vector.capacity() * size_of::<T>()
        }
        size_of::<SpanData>()
            + bytes::<KeyValue>(&span.attributes)
            + bytes(&span.events.events)
            + bytes(&span.links.links)
    }
}

/// Clears a vector. Where it is empty, this is one comparison.
#[inline]
fn clear<T>(vector: &mut Vec<T>) {
    #[inline(never)]
    fn drop_elements<T>(vector: &mut Vec<T>) {
        vector.clear();
    }
    if !vector.is_empty() {
        drop_elements(vector);
    }
}

/// The name of the scope of an empty span: an empty text between two bytes of this crate, so that no other has its address.
const VACANT: &str = {
    static AROUND: [u8; 2] = [0; 2];
    match std::str::from_utf8(AROUND.split_at(1).0.split_at(1).1) {
        Ok(text) => text,
        Err(_) => "",
    }
};

fn vacant_scope() -> InstrumentationScope {
    InstrumentationScope::builder(VACANT).build()
}

/// Returns `true` if the scope is empty and has no memory on the heap.
///
/// Returns `true` for the scope that a pooled span is created with, and for its clones.
///
/// The name of such a scope lies at the address of [`VACANT`]. No other scope's does: the API neither builds a scope from the parts
/// of another nor changes one.
#[inline]
fn is_vacant(scope: &InstrumentationScope) -> bool {
    std::ptr::eq(scope.name(), VACANT)
        && scope.version().is_none()
        && scope.schema_url().is_none()
        && scope.attributes().next().is_none()
}

thread_cache! {
    /// The thread-local that caches the spans of [`SpanPool`]s.
    pub struct SpanThreads for Box<SpanData>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_that_reads_as_empty_and_retains_memory_is_replaced() {
        let recycle = SpanRecycle::default();
        let mut span = recycle.create();
        let vacant = span.instrumentation_scope.clone();
        let with_name = InstrumentationScope::builder(String::with_capacity(100)).build();
        let with_attributes = InstrumentationScope::builder("")
            .with_attributes(Vec::with_capacity(100))
            .build();
        for scope in [with_name, with_attributes] {
            assert!(scope == vacant && !is_vacant(&scope));
            span.instrumentation_scope = scope;
            recycle.reset(&mut span);
            assert!(is_vacant(&span.instrumentation_scope));
        }
        assert!(is_vacant(&vacant) && vacant == InstrumentationScope::default());
    }
}
