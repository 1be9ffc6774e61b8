use super::buffer::AttributeBuffer;
use super::head::Head;
use super::limits::SpanLimits;
use crate::attribute::{
    AttributeValues, AttributeWriter, HashedKey, KeyIndex, StaticKey, StaticKeySet, TextWriter,
    hash, key_is, max_chars,
};
use crate::protobuf::Message;
use crate::protobuf::schema::span;
use crate::view::{AttributeView, Repeated, ValueView};
use std::fmt;
use zerospan_core::{
    Attribute, AttributeSink, AttributeSource, AttributeValue, ExtendError, Footprint, Reset,
    SinkError,
};

/// A span that is being recorded, in encoded form.
///
/// [`begin`](Self::begin) sets the data that is known when the span starts. [`finish`](Self::finish) appends the whole span, with
/// the data that is known when it ends. [`reset`](Reset::reset) clears the recorder for the next span and keeps its memory. The
/// last value of a key wins. Data beyond the [`SpanLimits`] is dropped and counted, and the counts are written with the span.
///
/// Allocates only to grow its memory: a recorder that has held a span holds one of the same size without allocation.
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
    pub(super) limits: SpanLimits,
    /// The maximum length of a value, as the encoder takes it.
    pub(super) max_chars: usize,
    /// The head and the attributes: the fields of the span in the order of their numbers.
    pub(super) span: Vec<u8>,
    pub(super) head: Head,
    /// The keys of the span's attributes.
    pub(super) keys: KeyIndex,
    pub(super) events: Vec<u8>,
    pub(super) links: Vec<u8>,
    /// The keys of the current event or link.
    pub(super) nested_keys: KeyIndex,
    pub(super) event_count: u32,
    pub(super) link_count: u32,
    pub(super) dropped_attributes: u32,
    pub(super) dropped_events: u32,
    pub(super) dropped_links: u32,
}

impl SpanRecorder {
    /// Creates a recorder with the default limits. Does not allocate.
    pub fn new() -> Self {
        Self::with_limits(SpanLimits::default())
    }

    /// Creates a recorder with `limits`. Does not allocate.
    pub fn with_limits(limits: SpanLimits) -> Self {
        Self {
            limits,
            max_chars: max_chars(limits.max_attribute_value_length),
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

    /// Creates a recorder with `limits` and with room for `span` bytes of the span itself, and `nested` bytes each for events and
    /// for links. Allocates.
    ///
    /// A span takes about 80 bytes and its name, and about 40 bytes for each attribute.
    pub fn with_capacity(limits: SpanLimits, span: usize, nested: usize) -> Self {
        let mut recorder = Self::with_limits(limits);
        recorder.span.reserve_exact(span);
        recorder.events.reserve_exact(nested);
        recorder.links.reserve_exact(nested);
        recorder
    }

    /// Returns the limits.
    pub fn limits(&self) -> &SpanLimits {
        &self.limits
    }

    /// Changes the limits. Keeps data that is recorded already.
    pub fn set_limits(&mut self, limits: SpanLimits) {
        self.limits = limits;
        self.max_chars = max_chars(limits.max_attribute_value_length);
        self.keys.keep_repeated = limits.keep_repeated_keys;
        self.nested_keys.keep_repeated = limits.keep_repeated_keys;
    }

    /// Sets `key` to `value`, in the fastest way. Drops and counts an attribute that is beyond the limits.
    #[inline(always)]
    pub fn set<'v>(&mut self, key: &StaticKey, value: impl Into<AttributeValue<'v>>) {
        self.span_attributes().set(key, value);
    }

    /// Sets `key` to `value`. Drops and counts an attribute that is beyond the limits.
    #[inline(always)]
    pub fn set_hashed<'v>(&mut self, key: HashedKey<'_>, value: impl Into<AttributeValue<'v>>) {
        self.span_attributes().set_hashed(key, value);
    }

    /// Sets each key of `keys` to its value, all in one step. Drops and counts attributes that are beyond the limits.
    #[inline(always)]
    pub fn set_each<'v, const N: usize>(
        &mut self,
        keys: &StaticKeySet<N>,
        values: impl AttributeValues<'v, N>,
    ) {
        self.span_attributes().set_each(keys, values);
    }

    /// Sets an attribute. Drops and counts it if it is beyond the limits.
    #[inline(always)]
    pub fn set_attribute(&mut self, attribute: Attribute<'_>) {
        self.span_attributes().set_attribute(attribute);
    }

    /// Sets `key` to a text, as [`AttributeWriter::set_fmt`] does.
    ///
    /// # Panics
    ///
    /// Panics if formatting panics. The attribute is then dropped and counted.
    #[inline]
    pub fn set_fmt<'k>(&mut self, key: impl Into<HashedKey<'k>>, value: fmt::Arguments<'_>) {
        self.span_attributes().set_fmt(key, value);
    }

    /// Sets `key` to the text that `write` writes, as [`AttributeWriter::set_text_with`] does.
    ///
    /// # Panics
    ///
    /// Panics if `write` does. The attribute is then dropped and counted.
    #[inline]
    pub fn set_text_with<'k, E>(
        &mut self,
        key: impl Into<HashedKey<'k>>,
        write: impl FnOnce(&mut TextWriter<'_>) -> Result<(), E>,
    ) {
        self.span_attributes().set_text_with(key, write);
    }

    /// Sets every attribute of `source`. Drops and counts those that are beyond the limits.
    ///
    /// A shared set with a cache is encoded once, which allocates. Each later span copies the encoded bytes.
    #[inline]
    pub fn extend<S: AttributeSource + ?Sized>(&mut self, source: &S) {
        self.span_attributes().extend(source);
    }

    /// Sets attributes with a writer.
    #[doc(hidden)]
    #[inline]
    pub fn write_attributes(&mut self, write: impl FnOnce(AttributeWriter<'_>)) {
        write(self.span_attributes());
    }

    /// Sets the attributes of a buffer. Copies their bytes.
    #[doc(hidden)]
    pub fn append(&mut self, attributes: &AttributeBuffer) {
        attributes.copy_to(&mut self.span_attributes());
    }

    /// Counts attributes that were dropped before they reached the recorder.
    pub fn count_dropped_attributes(&mut self, count: u32) {
        self.dropped_attributes = self.dropped_attributes.saturating_add(count);
    }

    /// Returns the attributes, in the order in which their keys were first set. Does not allocate.
    pub fn attributes(&self) -> impl Iterator<Item = AttributeView<'_>> {
        let attributes = Message::new(&self.span[self.head.len..]);
        // The recorder wrote these bytes, so each attribute can be read.
        Repeated::new(attributes, span::ATTRIBUTES, AttributeView::parse).flatten()
    }

    /// Returns the value of the attribute `key`, the last one if repeated keys are kept. Does not allocate.
    pub fn attribute(&self, key: &str) -> Option<ValueView<'_>> {
        if self.keys.keep_repeated {
            return self
                .attributes()
                .filter(|held| held.key == key)
                .last()?
                .value;
        }
        let index = self.keys.find(hash(key.as_bytes()), |entry| {
            key_is(&self.span, entry.start, key)
        })?;
        let start = self.keys.entries().get(index)?.start;
        let attributes = Message::new(self.span.get(start..)?);
        let mut attributes = Repeated::new(attributes, span::ATTRIBUTES, AttributeView::parse);
        attributes.next()?.ok()?.value
    }

    /// Returns the number of attributes.
    pub fn attribute_count(&self) -> u32 {
        self.keys.len() as u32
    }

    /// Returns the number of bytes that are recorded.
    #[doc(hidden)]
    #[inline]
    pub fn recorded_bytes(&self) -> usize {
        // Without events and links, their lengths need not be fetched.
        let nested = match self.event_count | self.link_count {
            0 => 0,
            _ => self.events.len() + self.links.len(),
        };
        self.span.len() + nested
    }

    /// Returns the capacity of the buffer of the head and the attributes, if no other memory can have grown since the last reset.
    ///
    /// Looks at less memory than [`heap_bytes`](Footprint::heap_bytes).
    #[doc(hidden)]
    #[inline(always)]
    pub fn plain_capacity(&self) -> Option<usize> {
        let is_plain = self.has_only_attributes() && self.keys.is_small();
        is_plain.then_some(self.span.capacity())
    }

    /// Returns the number of attributes that were dropped.
    pub fn dropped_attributes(&self) -> u32 {
        self.dropped_attributes
    }

    /// Returns `true` if there are no events and links, and nothing was dropped.
    #[inline(always)]
    pub(super) fn has_only_attributes(&self) -> bool {
        let counts = self.event_count
            | self.link_count
            | self.dropped_attributes
            | self.dropped_events
            | self.dropped_links;
        counts == 0
    }

    #[cold]
    fn reset_events_and_links(&mut self) {
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
            buffer: &mut self.span,
            keys: &mut self.keys,
            tag: span::tag::ATTRIBUTES,
            max_attributes: self.limits.max_attributes_per_span,
            max_chars: self.max_chars,
            dropped: &mut self.dropped_attributes,
        }
    }
}

impl Default for SpanRecorder {
    fn default() -> Self {
        Self::new()
    }
}

/// Sets attributes of the span itself.
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

/// Prints counts, not contents.
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
        if !self.has_only_attributes() {
            self.reset_events_and_links();
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
