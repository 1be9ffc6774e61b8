use crate::{Pool, PoolStats, Pooled, ThreadCachedPool, thread_cache};
use opentelemetry::trace::{SpanContext, SpanId, SpanKind, Status};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};
use std::borrow::Cow;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::LazyLock;
use std::time::SystemTime;
use zerospan_core::Recycle;

/// The process's span pool: 1,024 spans, created at the first use.
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
pub static GLOBAL_SPAN_POOL: LazyLock<SpanPool> = LazyLock::new(|| SpanPool::new(1024));

/// Lends spans of the stock SDK, with room for attributes, events and links, and takes them back on drop.
///
/// A [`ThreadCachedPool`] of boxed [`SpanData`]: its bounds, and its ways with threads and panics, are those of that
/// type.
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

/// [`SpanPool::new`] creates at most this many spans ahead.
const MOST_CREATED_AHEAD: usize = 16_384;

impl SpanPool {
    /// A pool of `capacity` spans, all of which are created here: each is 4 allocations, about 2.2 KB together.
    ///
    /// Beyond 16,384, spans are created when they are first needed. Capacity 0 makes every span a fresh one.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self::with_recycle(capacity, SpanRecycle::default())
    }

    /// As [`new`](Self::new), with spans that have room as `recycle` says.
    #[must_use]
    pub fn with_recycle(capacity: usize, recycle: SpanRecycle) -> Self {
        let spans = ThreadCachedPool::with_recycle(capacity, recycle);
        spans.warm_up(capacity.min(MOST_CREATED_AHEAD));
        Self { spans }
    }

    /// Keeps only spans that retain at most `bytes` of heap memory, the span's own included; 64 KiB unless set.
    #[must_use]
    pub fn with_retention_limit(mut self, bytes: usize) -> Self {
        self.spans = self.spans.with_retention_limit(bytes);
        self
    }

    /// Lends a span in its just-built state. Where the pool keeps none, creates one: 4 allocations.
    #[inline]
    pub fn acquire(&self) -> PooledSpan<'_> {
        PooledSpan(self.spans.acquire())
    }

    /// How many spans the pool keeps now.
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// Whether the pool keeps no span now.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// How many spans the pool keeps at most.
    pub fn capacity(&self) -> usize {
        self.spans.capacity()
    }

    /// What the pool has done so far.
    pub fn stats(&self) -> PoolStats {
        self.spans.stats()
    }

    /// The pool behind it, for what all pools can: [`shrink`](Pool::shrink), [`flush`](ThreadCachedPool::flush).
    pub fn as_pool(&self) -> &ThreadCachedPool<Box<SpanData>, SpanRecycle, SpanThreads> {
        &self.spans
    }
}

/// A span on loan: it goes back to its [`SpanPool`], once, when this is dropped.
///
/// Reset on the way: nothing of it can be read from the next loan. Dropped while its thread panics, it is not used again.
pub struct PooledSpan<'pool>(
    Pooled<&'pool ThreadCachedPool<Box<SpanData>, SpanRecycle, SpanThreads>>,
);

impl PooledSpan<'_> {
    /// The span, for writing: the same as the dereference.
    #[inline]
    pub fn get_mut(&mut self) -> &mut SpanData {
        self
    }

    /// Gives the span back here and now.
    ///
    /// # Panics
    ///
    /// Never: resetting and freeing a span does not.
    #[inline]
    pub fn release(self) {
        self.0.release();
    }

    /// Takes the span out of the pool for good, as it is: to hand it to an exporter, for instance.
    #[inline]
    #[must_use = "a detached span does not go back to its pool"]
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

/// Creates, resets and judges boxed [`SpanData`]: with any backend of this crate.
///
/// A created span is empty: no name, invalid ids, both times at the Unix epoch, kind internal, status unset, an empty
/// scope. A reset brings every field back to that, and keeps the vectors of attributes, events and links. What an event
/// or a link owned itself, its attribute vector included, is freed with it, as are owned names and values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpanRecycle {
    /// Room for attributes in a created span; 16 by default.
    pub attributes: usize,
    /// Room for events in a created span; 8 by default.
    pub events: usize,
    /// Room for links in a created span; 4 by default.
    pub links: usize,
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
            instrumentation_scope: InstrumentationScope::default(),
        })
    }

    #[inline]
    fn reset(&self, span: &mut Box<SpanData>) {
        // Taken apart, so that a field which a later SDK adds does not go unnoticed.
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
        attributes.clear();
        *dropped_attributes_count = 0;
        events.events.clear();
        events.dropped_count = 0;
        links.links.clear();
        links.dropped_count = 0;
        *status = Status::Unset;
        *instrumentation_scope = InstrumentationScope::default();
    }

    #[inline]
    fn heap_bytes(&self, span: &Box<SpanData>) -> usize {
        fn of<T>(vector: &Vec<T>) -> usize {
            vector.capacity() * size_of::<T>()
        }
        size_of::<SpanData>()
            + of::<KeyValue>(&span.attributes)
            + of(&span.events.events)
            + of(&span.links.links)
    }
}

thread_cache! {
    /// Where each thread caches the spans of its [`SpanPool`]s.
    pub struct SpanThreads for Box<SpanData>;
}
