//! Recycles the vectors of finished spans.

use opentelemetry::KeyValue;
use opentelemetry::trace::{Event, Link, SpanBuilder};
use opentelemetry_sdk::trace::SpanData;
use std::sync::atomic::{AtomicBool, Ordering};
use zerospan_core::DefaultRecycle;
use zerospan_core::sync::OnceBox;
use zerospan_pool::{Pool, Return, ThreadCache, ThreadCachedPool, thread_cache};

/// The maximum number of vectors of each kind that are kept, for all threads together.
const CAPACITY: usize = 512;

/// The maximum heap memory of a vector that is kept, in bytes.
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

/// A pool that keeps nothing before its first use: programs that do not use recycled vectors pay nothing for it.
struct Vectors<T: 'static, K: ThreadCache<Vec<T>>> {
    pool: OnceBox<ThreadCachedPool<Vec<T>, DefaultRecycle, K>>,
    used: AtomicBool,
}

static ATTRIBUTES: Vectors<KeyValue, AttributeVectors> = Vectors::new();
static EVENTS: Vectors<Event, EventVectors> = Vectors::new();
static LINKS: Vectors<Link, LinkVectors> = Vectors::new();

impl<T, K: ThreadCache<Vec<T>>> Vectors<T, K> {
    const fn new() -> Self {
        Self {
            pool: OnceBox::new(),
            used: AtomicBool::new(false),
        }
    }

    #[inline]
    fn pool(&self) -> &ThreadCachedPool<Vec<T>, DefaultRecycle, K> {
        self.pool.get_or_init(|| {
            ThreadCachedPool::with_recycle(CAPACITY, DefaultRecycle)
                .with_retention_limit(RETENTION_LIMIT)
        })
    }

    #[inline]
    fn take(&self) -> Vec<T> {
        if !self.used.load(Ordering::Relaxed) {
            self.used.store(true, Ordering::Relaxed);
        }
        self.pool().take()
    }

    #[inline]
    fn keep(&self, vector: &mut Vec<T>) {
        if vector.capacity() > 0 && self.used.load(Ordering::Relaxed) {
            self.pool().put(Return::Reuse(std::mem::take(vector)));
        }
    }
}

/// Returns an empty vector with the capacity of a finished span's vector, or without capacity if none is kept. Does not
/// allocate.
///
/// Pass it to a span builder: [`OtlpSpanProcessor`](crate::OtlpSpanProcessor) and
/// [`OtlpSpanExporter`](crate::OtlpSpanExporter) keep the vectors of the spans that they encode. After the first call, they
/// keep at most 512 vectors for all threads, of at most 16 KiB each.
pub fn recycled_attributes() -> Vec<KeyValue> {
    ATTRIBUTES.take()
}

/// Returns an empty vector for events, as [`recycled_attributes`] does for attributes.
pub fn recycled_events() -> Vec<Event> {
    EVENTS.take()
}

/// Returns an empty vector for links, as [`recycled_attributes`] does for attributes.
pub fn recycled_links() -> Vec<Link> {
    LINKS.take()
}

/// Adds recycled vectors to a span builder. Sealed.
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
pub trait RecycledBuilder: Sized + Sealed {
    /// Sets the attributes in a recycled vector. Allocates only if its capacity is too small.
    ///
    /// Without attributes, the span's `set_attribute` uses the capacity.
    #[must_use]
    fn with_recycled_attributes(self, attributes: impl IntoIterator<Item = KeyValue>) -> Self;

    /// Stores the span's events in a recycled vector.
    #[must_use]
    fn with_recycled_events(self) -> Self;

    /// Sets the links in a recycled vector. Allocates only if its capacity is too small.
    #[must_use]
    fn with_recycled_links(self, links: impl IntoIterator<Item = Link>) -> Self;
}

mod sealed {
    pub trait Sealed {}
}
use sealed::Sealed;

impl Sealed for SpanBuilder {}

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

/// Keeps the span's vectors, of the kinds that are used.
#[inline]
pub(crate) fn recycle(span: &mut SpanData) {
    ATTRIBUTES.keep(&mut span.attributes);
    EVENTS.keep(&mut span.events.events);
    LINKS.keep(&mut span.links.links);
}
