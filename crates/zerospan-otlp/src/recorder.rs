mod events;
mod finish;
mod head;
mod links;

use crate::attribute::{key_is, tag};
use crate::attributes::{AttributeWriter, most_chars};
use crate::key::{HashedKey, StaticKey, hash};
use crate::key_index::KeyIndex;
use crate::limits::SpanLimits;
use crate::protobuf::Message;
use crate::protobuf::schema::span;
use crate::view::{AttributeView, Repeated, ValueView};
use head::Head;
use std::fmt;
use zerospan_core::{
    Attribute, AttributeSink, AttributeSource, AttributeValue, ExtendError, Footprint, Reset,
    SinkError,
};

/// A span that is being recorded: whatever is known of it stands in wire form at once.
///
/// [`begin`](Self::begin) says what is known when the span starts, [`finish`](Self::finish) writes the span with what is known
/// when it ends. Made to be reused: [`reset`](Reset::reset) makes the recorder as good as new and keeps its memory. Setting a key again gives it its last value. What goes beyond the [`SpanLimits`] is dropped and
/// counted, and the counts are written with the span.
///
/// Allocates only where its memory has to grow: a recorder that has held a span holds one of the same size without a call
/// to the allocator.
///
/// # Examples
///
/// ```
/// use opentelemetry::trace::{SpanContext, SpanId, Status, TraceFlags, TraceId, TraceState};
/// use zerospan_core::Reset;
/// use zerospan_otlp::{SpanRecorder, SpanStart, StaticKey};
///
/// const METHOD: StaticKey = StaticKey::new("http.request.method");
///
/// let context = SpanContext::new(
///     TraceId::from(1),
///     SpanId::from(2),
///     TraceFlags::SAMPLED,
///     false,
///     TraceState::default(),
/// );
/// let mut span = SpanRecorder::new();
/// let mut out = Vec::with_capacity(1024);
///
/// let start = 1_700_000_000_000_000_000;
/// span.begin(&SpanStart::new(&context, "GET /users/{id}", start));
/// span.set(&METHOD, "GET");
/// span.add_event("cache.miss", start + 120_000, &[("cache.key", "user:42")]);
/// span.finish(start + 250_000, &Status::Ok, &mut out);
/// span.reset();
/// assert_eq!(out[0], 0x12, "the field `ScopeSpans.spans`");
/// ```
#[derive(Clone)]
pub struct SpanRecorder {
    limits: SpanLimits,
    /// The limit to the length of a value, as the writer takes it.
    most_chars: usize,
    /// The fields of the span in the order of their numbers, from the trace id to the attributes.
    span: Vec<u8>,
    head: Head,
    /// The keys of the span's attributes.
    keys: KeyIndex,
    events: Vec<u8>,
    links: Vec<u8>,
    /// The keys of the event or the link that is being written.
    nested_keys: KeyIndex,
    event_count: u32,
    link_count: u32,
    dropped_attributes: u32,
    dropped_events: u32,
    dropped_links: u32,
}

impl Default for SpanRecorder {
    fn default() -> Self {
        Self::new()
    }
}

impl SpanRecorder {
    /// A recorder with the default limits. Does not allocate.
    pub fn new() -> Self {
        Self::with_limits(SpanLimits::default())
    }

    /// A recorder with `limits`. Does not allocate.
    pub fn with_limits(limits: SpanLimits) -> Self {
        Self {
            limits,
            most_chars: most_chars(limits.max_attribute_value_length),
            span: Vec::new(),
            head: Head::default(),
            keys: KeyIndex::new(limits.keep_repeated_keys),
            events: Vec::new(),
            links: Vec::new(),
            nested_keys: KeyIndex::new(limits.keep_repeated_keys),
            event_count: 0,
            link_count: 0,
            dropped_attributes: 0,
            dropped_events: 0,
            dropped_links: 0,
        }
    }

    /// A recorder with `limits` and room for `span` bytes of the span itself, about 80 and the name, and for each attribute
    /// about 40; and for `nested` bytes each of events and links. Allocates.
    pub fn with_capacity(limits: SpanLimits, span: usize, nested: usize) -> Self {
        let mut recorder = Self::with_limits(limits);
        recorder.span.reserve_exact(span);
        recorder.events.reserve_exact(nested);
        recorder.links.reserve_exact(nested);
        recorder
    }

    /// What the recorder holds at most.
    pub fn limits(&self) -> &SpanLimits {
        &self.limits
    }

    /// Changes what the recorder holds at most. What it holds already stays.
    pub fn set_limits(&mut self, limits: SpanLimits) {
        self.limits = limits;
        self.most_chars = most_chars(limits.max_attribute_value_length);
        self.keys.repeats = limits.keep_repeated_keys;
        self.nested_keys.repeats = limits.keep_repeated_keys;
    }

    /// Sets `key` to `value`: the fastest way. What does not fit the limits is dropped and counted.
    #[inline(always)]
    pub fn set<'v>(&mut self, key: &StaticKey, value: impl Into<AttributeValue<'v>>) {
        self.span_attributes().set(key, value);
    }

    /// Sets `key` to `value`. What does not fit the limits is dropped and counted.
    #[inline(always)]
    pub fn set_hashed<'v>(&mut self, key: HashedKey<'_>, value: impl Into<AttributeValue<'v>>) {
        self.span_attributes().set_hashed(key, value);
    }

    /// Sets an attribute. What does not fit the limits is dropped and counted.
    #[inline(always)]
    pub fn set_attribute(&mut self, attribute: Attribute<'_>) {
        self.span_attributes().set_attribute(attribute);
    }

    /// Sets every attribute of `source`. What does not fit the limits is dropped and counted.
    ///
    /// A shared set that has a cache is encoded once in its life, which allocates; each later span copies those bytes.
    #[inline]
    pub fn extend<S: AttributeSource + ?Sized>(&mut self, source: &S) {
        self.span_attributes().extend(source);
    }

    /// Counts attributes that were dropped before they reached the recorder.
    pub fn count_dropped_attributes(&mut self, count: u32) {
        self.dropped_attributes = self.dropped_attributes.saturating_add(count);
    }

    /// The span's attributes, in the order in which their keys were first set. Does not allocate.
    pub fn attributes(&self) -> impl Iterator<Item = AttributeView<'_>> {
        let attributes = Message::new(&self.span[self.head.len..]);
        // The recorder wrote these bytes, so each attribute can be read.
        Repeated::new(attributes, span::ATTRIBUTES, AttributeView::parse).flatten()
    }

    /// The value of the span's attribute `key`. Does not allocate.
    pub fn attribute(&self, key: &str) -> Option<ValueView<'_>> {
        let index = self.keys.find(hash(key.as_bytes()), |entry| {
            key_is(&self.span, entry.start, key)
        })?;
        let start = self.keys.entries().get(index)?.start;
        let attributes = Message::new(self.span.get(start..)?);
        let mut attributes = Repeated::new(attributes, span::ATTRIBUTES, AttributeView::parse);
        attributes.next()?.ok()?.value
    }

    /// How many attributes the span holds.
    pub fn attribute_count(&self) -> u32 {
        self.keys.len() as u32
    }

    /// How many of the span's attributes were dropped.
    pub fn dropped_attributes(&self) -> u32 {
        self.dropped_attributes
    }

    /// Whether something was recorded, or dropped, beside the attributes that are held.
    #[inline(always)]
    fn is_more_than_attributes(&self) -> bool {
        let counts = self.event_count
            | self.link_count
            | self.dropped_attributes
            | self.dropped_events
            | self.dropped_links;
        counts != 0
    }

    #[cold]
    fn forget_the_rest(&mut self) {
        self.events.clear();
        self.links.clear();
        self.nested_keys.reset();
        self.event_count = 0;
        self.link_count = 0;
        self.dropped_attributes = 0;
        self.dropped_events = 0;
        self.dropped_links = 0;
    }

    #[inline(always)]
    fn span_attributes(&mut self) -> AttributeWriter<'_> {
        AttributeWriter {
            area: &mut self.span,
            keys: &mut self.keys,
            tag: tag::SPAN,
            most: self.limits.max_attributes_per_span,
            most_chars: self.most_chars,
            dropped: &mut self.dropped_attributes,
        }
    }
}

/// Takes back what was written of an event or a link whose writer panicked, and counts it as dropped, unless it is
/// forgotten.
struct Torn<'a> {
    start: usize,
    area: &'a mut Vec<u8>,
    count: &'a mut u32,
    dropped: &'a mut u32,
}

impl Drop for Torn<'_> {
    #[cold]
    fn drop(&mut self) {
        self.area.truncate(self.start);
        *self.count -= 1;
        *self.dropped = self.dropped.saturating_add(1);
    }
}

/// Takes attributes of the span itself.
impl AttributeSink for SpanRecorder {
    #[inline]
    fn push_attribute(&mut self, attribute: Attribute<'_>) -> Result<(), SinkError> {
        self.span_attributes().push_attribute(attribute)
    }

    #[inline]
    fn reserve_attributes(&mut self, additional: usize) {
        self.span_attributes().reserve_attributes(additional);
    }

    #[inline]
    fn push_all<S: AttributeSource + ?Sized>(&mut self, source: &S) -> Result<(), ExtendError> {
        self.span_attributes().push_all(source)
    }
}

/// Counts what it holds, and leaves out what that is.
impl fmt::Debug for SpanRecorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpanRecorder")
            .field("attributes", &self.attribute_count())
            .field("events", &self.event_count)
            .field("links", &self.link_count)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// Keeps the limits.
impl Reset for SpanRecorder {
    #[inline]
    fn reset(&mut self) {
        self.span.clear();
        self.head = Head::default();
        self.keys.reset();
        if self.is_more_than_attributes() {
            self.forget_the_rest();
        }
    }
}

impl Footprint for SpanRecorder {
    fn heap_bytes(&self) -> usize {
        self.span.heap_bytes()
            + self.events.heap_bytes()
            + self.links.heap_bytes()
            + self.keys.heap_bytes()
            + self.nested_keys.heap_bytes()
    }
}
