//! The vectors of spans that are done, for spans to come.

use opentelemetry::KeyValue;
use opentelemetry::trace::{Event, Link, SpanBuilder};
use opentelemetry_sdk::trace::SpanData;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};
use zerospan_core::DefaultRecycle;
use zerospan_pool::{Pool, Return, ThreadCache, ThreadCachedPool, thread_cache};

/// How many vectors of each kind are kept, for all threads together.
const KEPT: usize = 512;

/// Vectors that hold on to more memory than this are freed.
const RETENTION_LIMIT: usize = 16 << 10;

thread_cache! {
    pub(crate) struct AttributeVectors for Vec<KeyValue>;
}
thread_cache! {
    pub(crate) struct EventVectors for Vec<Event>;
}
thread_cache! {
    pub(crate) struct LinkVectors for Vec<Link>;
}

/// A pool that keeps nothing until someone has asked it for a vector: who builds spans the ordinary way pays nothing for it.
struct Vectors<T: 'static, K: ThreadCache<Vec<T>>> {
    pool: LazyLock<ThreadCachedPool<Vec<T>, DefaultRecycle, K>>,
    wanted: AtomicBool,
}

static ATTRIBUTES: Vectors<KeyValue, AttributeVectors> = Vectors::new();
static EVENTS: Vectors<Event, EventVectors> = Vectors::new();
static LINKS: Vectors<Link, LinkVectors> = Vectors::new();

impl<T, K: ThreadCache<Vec<T>>> Vectors<T, K> {
    const fn new() -> Self {
        Self {
            pool: LazyLock::new(|| {
                ThreadCachedPool::with_recycle(KEPT, DefaultRecycle)
                    .with_retention_limit(RETENTION_LIMIT)
            }),
            wanted: AtomicBool::new(false),
        }
    }

    #[inline]
    fn take(&self) -> Vec<T> {
        if !self.wanted.load(Ordering::Relaxed) {
            self.wanted.store(true, Ordering::Relaxed);
        }
        self.pool.take()
    }

    #[inline]
    fn keep(&self, vector: &mut Vec<T>) {
        if vector.capacity() > 0 && self.wanted.load(Ordering::Relaxed) {
            self.pool.put(Return::Reuse(std::mem::take(vector)));
        }
    }
}

/// An empty vector with the room of one that a finished span had, if there is one. Allocates nothing.
///
/// Give it to a span's builder: when that span has ended and is encoded by
/// [`OtlpSpanProcessor`](crate::OtlpSpanProcessor) or [`OtlpSpanExporter`](crate::OtlpSpanExporter), the vector comes back.
/// One that goes elsewhere is an ordinary vector.
/// Vectors are kept from the first call on: at most 512 for all threads, of at most 16 KiB each.
pub fn recycled_attributes() -> Vec<KeyValue> {
    ATTRIBUTES.take()
}

/// An empty vector for events. Otherwise like [`recycled_attributes`].
pub fn recycled_events() -> Vec<Event> {
    EVENTS.take()
}

/// An empty vector for links. Otherwise like [`recycled_attributes`].
pub fn recycled_links() -> Vec<Link> {
    LINKS.take()
}

/// Gives a span's builder the room that its span will need.
///
/// # Examples
///
/// ```
/// use opentelemetry::KeyValue;
/// use opentelemetry::trace::SpanBuilder;
/// use zerospan_sdk::RecycledBuilder;
///
/// let builder = SpanBuilder::from_name("GET /users/{id}").with_recycled_attributes([
///     KeyValue::new("http.request.method", "GET"),
///     KeyValue::new("http.route", "/users/{id}"),
/// ]);
/// assert_eq!(builder.attributes.map(|attributes| attributes.len()), Some(2));
/// ```
pub trait RecycledBuilder: Sized {
    /// Puts `attributes` into a recycled vector. Allocates only if that has too little room.
    ///
    /// With no attributes, the span's `set_attribute` still finds the room.
    #[must_use]
    fn with_recycled_attributes(self, attributes: impl IntoIterator<Item = KeyValue>) -> Self;

    /// Has the span keep its events in a recycled vector.
    #[must_use]
    fn with_recycled_events(self) -> Self;

    /// Puts `links` into a recycled vector. Allocates only if that has too little room.
    #[must_use]
    fn with_recycled_links(self, links: impl IntoIterator<Item = Link>) -> Self;
}

impl RecycledBuilder for SpanBuilder {
    fn with_recycled_attributes(mut self, attributes: impl IntoIterator<Item = KeyValue>) -> Self {
        let mut vector = recycled_attributes();
        vector.extend(attributes);
        self.attributes = Some(vector);
        self
    }

    fn with_recycled_events(mut self) -> Self {
        self.events = Some(recycled_events());
        self
    }

    fn with_recycled_links(mut self, links: impl IntoIterator<Item = Link>) -> Self {
        let mut vector = recycled_links();
        vector.extend(links);
        self.links = Some(vector);
        self
    }
}

/// Takes those of the span's vectors that someone wants, whoever allocated them.
#[inline]
pub(crate) fn recycle(span: &mut SpanData) {
    ATTRIBUTES.keep(&mut span.attributes);
    EVENTS.keep(&mut span.events.events);
    LINKS.keep(&mut span.links.links);
}
