use crate::attribute::{field_len, key_is, tag};
use crate::attributes::{AttributeWriter, most_chars};
use crate::header::{FLAGS_LEN, SpanHeader, count, count_len, fixed64, flags, write_trace_state};
use crate::key::{StaticKey, hash};
use crate::key_index::KeyIndex;
use crate::limits::RecordLimits;
use crate::nested;
use crate::view::{AttributeView, Message, ValueView};
use crate::wire::{Varint, append, make_room};
use opentelemetry::trace::SpanContext;
use std::fmt;
use std::mem;
use zerospan_core::{
    Attribute, AttributeSink, AttributeSource, AttributeValue, ExtendError, Footprint, Reset,
    SinkError,
};

/// A span that is being recorded: its attributes, events and links stand in wire form as soon as they are set.
///
/// Made to be reused: [`finish`](Self::finish) writes the span, [`reset`](Reset::reset) makes the recorder as good as new and
/// keeps its memory. Setting a key again gives it its last value. What goes beyond the [`RecordLimits`] is dropped and
/// counted, and the counts are written with the span.
///
/// Allocates only where its memory has to grow: a recorder that has held a span holds one of the same size without a call
/// to the allocator.
///
/// # Examples
///
/// ```
/// use opentelemetry::trace::{SpanContext, SpanId, SpanKind, TraceFlags, TraceId, TraceState};
/// use zerospan_core::Reset;
/// use zerospan_otlp::{SpanHeader, SpanRecorder, StaticKey};
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
/// span.set(&METHOD, "GET");
/// span.add_event("cache.miss", 1_700_000_000_000_000_000, &[("cache.key", "user:42")]);
/// let mut header = SpanHeader::new(&context, "GET /users/{id}", SpanKind::Server);
/// header.start_unix_nanos = 1_700_000_000_000_000_000;
/// header.end_unix_nanos = 1_700_000_000_000_250_000;
/// span.finish(&header, &mut out);
/// span.reset();
/// assert_eq!(out[0], 0x12, "the field `ScopeSpans.spans`");
/// ```
#[derive(Clone)]
pub struct SpanRecorder {
    limits: RecordLimits,
    /// The limit to the length of a value, as the writer takes it.
    most_chars: usize,
    attributes: Vec<u8>,
    events: Vec<u8>,
    links: Vec<u8>,
    /// The keys of the span's attributes.
    keys: KeyIndex,
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
        Self::with_limits(RecordLimits::default())
    }

    /// A recorder with `limits`. Does not allocate.
    pub fn with_limits(limits: RecordLimits) -> Self {
        Self {
            limits,
            most_chars: most_chars(limits.value_length),
            attributes: Vec::new(),
            events: Vec::new(),
            links: Vec::new(),
            keys: KeyIndex::new(limits.repeated_keys),
            nested_keys: KeyIndex::new(limits.repeated_keys),
            event_count: 0,
            link_count: 0,
            dropped_attributes: 0,
            dropped_events: 0,
            dropped_links: 0,
        }
    }

    /// A recorder with `limits` and room for `attributes` bytes of encoded attributes, a key and its value being about
    /// 40 bytes, and for `nested` bytes each of events and links. Allocates.
    pub fn with_capacity(limits: RecordLimits, attributes: usize, nested: usize) -> Self {
        let mut recorder = Self::with_limits(limits);
        recorder.attributes.reserve_exact(attributes);
        recorder.events.reserve_exact(nested);
        recorder.links.reserve_exact(nested);
        recorder.keys.reserve(16);
        recorder.nested_keys.reserve(16);
        recorder
    }

    /// What the recorder holds at most.
    pub fn limits(&self) -> &RecordLimits {
        &self.limits
    }

    /// Changes what the recorder holds at most. What it holds already stays.
    pub fn set_limits(&mut self, limits: RecordLimits) {
        self.limits = limits;
        self.most_chars = most_chars(limits.value_length);
        self.keys.repeats = limits.repeated_keys;
        self.nested_keys.repeats = limits.repeated_keys;
    }

    /// Sets `key` to `value`: the fastest way. What does not fit the limits is dropped and counted.
    #[inline(always)]
    pub fn set<'v>(&mut self, key: &StaticKey, value: impl Into<AttributeValue<'v>>) {
        self.span_attributes().set(key, value);
    }

    /// Sets an attribute. What does not fit the limits is dropped and counted.
    #[inline]
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

    /// Adds an event that happened at `time_unix_nanos`, nanoseconds since 1970.
    ///
    /// An event beyond the limit is dropped and counted, and `false` is returned.
    #[inline]
    pub fn add_event<S: AttributeSource + ?Sized>(
        &mut self,
        name: &str,
        time_unix_nanos: u64,
        attributes: &S,
    ) -> bool {
        self.add_event_with(name, time_unix_nanos, |writer| writer.extend(attributes))
    }

    /// Adds an event whose attributes `write` sets.
    ///
    /// An event beyond the limit is dropped and counted, `write` is not called, and `false` is returned. If `write` panics,
    /// the event is dropped and counted, and the panic goes on.
    #[inline]
    pub fn add_event_with(
        &mut self,
        name: &str,
        time_unix_nanos: u64,
        write: impl FnOnce(&mut AttributeWriter<'_>),
    ) -> bool {
        if self.event_count >= self.limits.events {
            self.count_dropped_events(1);
            return false;
        }
        let start = self.events.len();
        self.event_count += 1;
        self.nested_keys.reset();
        let (open, head) = nested::begin(&self.events, 0x5a, NESTED);
        let time = fixed64(0x09, time_unix_nanos);
        let name =
            (!name.is_empty()).then_some(([0x12], Varint(name.len() as u64), name.as_bytes()));
        append(&mut self.events, (head, time, name));
        let mut dropped = 0;
        let torn = Torn {
            start,
            area: &mut self.events,
            count: &mut self.event_count,
            dropped: &mut self.dropped_events,
        };
        write(&mut AttributeWriter {
            area: torn.area,
            keys: &mut self.nested_keys,
            tag: tag::EVENT,
            most: self.limits.attributes_per_event,
            most_chars: self.most_chars,
            dropped: &mut dropped,
        });
        mem::forget(torn);
        append(&mut self.events, count(0x20, dropped));
        nested::close(&mut self.events, open);
        true
    }

    /// Adds a link to `context`.
    ///
    /// A link beyond the limit is dropped and counted, and `false` is returned.
    #[inline]
    pub fn add_link<S: AttributeSource + ?Sized>(
        &mut self,
        context: &SpanContext,
        attributes: &S,
    ) -> bool {
        self.add_link_with(context, |writer| writer.extend(attributes))
    }

    /// Adds a link to `context` whose attributes `write` sets.
    ///
    /// A link beyond the limit is dropped and counted, `write` is not called, and `false` is returned. If `write` panics, the
    /// link is dropped and counted, and the panic goes on.
    #[inline]
    pub fn add_link_with(
        &mut self,
        context: &SpanContext,
        write: impl FnOnce(&mut AttributeWriter<'_>),
    ) -> bool {
        if self.link_count >= self.limits.links {
            self.count_dropped_links(1);
            return false;
        }
        let start = self.links.len();
        self.link_count += 1;
        self.nested_keys.reset();
        let open = nested::open(&mut self.links, 0x6a, 0);
        append(
            &mut self.links,
            (
                [0x0a, 16],
                context.trace_id().to_bytes(),
                [0x12, 8],
                context.span_id().to_bytes(),
            ),
        );
        write_trace_state(0x1a, context.trace_state(), &mut self.links);
        let mut dropped = 0;
        let torn = Torn {
            start,
            area: &mut self.links,
            count: &mut self.link_count,
            dropped: &mut self.dropped_links,
        };
        write(&mut AttributeWriter {
            area: torn.area,
            keys: &mut self.nested_keys,
            tag: tag::LINK,
            most: self.limits.attributes_per_link,
            most_chars: self.most_chars,
            dropped: &mut dropped,
        });
        mem::forget(torn);
        let flags = flags(context.trace_flags(), context.is_remote());
        append(&mut self.links, (count(0x28, dropped), [0x35], flags));
        nested::close(&mut self.links, open);
        true
    }

    /// Counts attributes that were dropped before they reached the recorder.
    pub fn count_dropped_attributes(&mut self, count: u32) {
        self.dropped_attributes = self.dropped_attributes.saturating_add(count);
    }

    /// Counts events that were dropped before they reached the recorder.
    pub fn count_dropped_events(&mut self, count: u32) {
        self.dropped_events = self.dropped_events.saturating_add(count);
    }

    /// Counts links that were dropped before they reached the recorder.
    pub fn count_dropped_links(&mut self, count: u32) {
        self.dropped_links = self.dropped_links.saturating_add(count);
    }

    /// The span's attributes, in the order in which their keys were first set. Does not allocate.
    pub fn attributes(&self) -> impl Iterator<Item = AttributeView<'_>> {
        // Own bytes can be read.
        Message::whole(&self.attributes)
            .repeated(9, AttributeView::parse)
            .flatten()
    }

    /// The value of the span's attribute `key`. Does not allocate.
    pub fn attribute(&self, key: &str) -> Option<ValueView<'_>> {
        let index = self.keys.find(hash(key.as_bytes()), |entry| {
            key_is(&self.attributes, entry.start, key)
        })?;
        let start = self.keys.entries().get(index)?.start;
        let held = Message::whole(self.attributes.get(start..)?);
        held.repeated(9, AttributeView::parse).next()?.ok()?.value
    }

    /// How many attributes the span holds.
    pub fn attribute_count(&self) -> u32 {
        self.keys.len() as u32
    }

    /// How many events the span holds.
    pub fn event_count(&self) -> u32 {
        self.event_count
    }

    /// How many links the span holds.
    pub fn link_count(&self) -> u32 {
        self.link_count
    }

    /// How many of the span's attributes were dropped.
    pub fn dropped_attributes(&self) -> u32 {
        self.dropped_attributes
    }

    /// How many of the span's events were dropped.
    pub fn dropped_events(&self) -> u32 {
        self.dropped_events
    }

    /// How many of the span's links were dropped.
    pub fn dropped_links(&self) -> u32 {
        self.dropped_links
    }

    /// The bytes that [`finish`](Self::finish) writes for `header`.
    #[inline]
    pub fn encoded_len(&self, header: &SpanHeader<'_>) -> usize {
        field_len(self.body_len(header))
    }

    #[inline]
    fn body_len(&self, header: &SpanHeader<'_>) -> usize {
        header.head_len()
            + self.attributes.len()
            + count_len(self.dropped_attributes)
            + self.events.len()
            + count_len(self.dropped_events)
            + self.links.len()
            + count_len(self.dropped_links)
            + header.status_len()
            + FLAGS_LEN
    }

    /// Appends the span to `out`: the whole field `ScopeSpans.spans`, tag and length included.
    ///
    /// The recorder stays as it is. Allocates only if `out` has no room for
    /// [`encoded_len`](Self::encoded_len) + [`SPARE`](crate::SPARE) bytes, and then once.
    #[inline]
    pub fn finish(&self, header: &SpanHeader<'_>, out: &mut Vec<u8>) {
        let length = self.body_len(header);
        make_room(out, field_len(length));
        let start = out.len();
        header.write_head(([0x12], Varint(length as u64)), out);
        append(
            out,
            (
                self.attributes.as_slice(),
                count(0x50, self.dropped_attributes),
                self.events.as_slice(),
                count(0x60, self.dropped_events),
                self.links.as_slice(),
                count(0x70, self.dropped_links),
            ),
        );
        header.write_tail(out);
        debug_assert_eq!(out.len() - start, field_len(length));
    }

    #[inline(always)]
    fn span_attributes(&mut self) -> AttributeWriter<'_> {
        AttributeWriter {
            area: &mut self.attributes,
            keys: &mut self.keys,
            tag: tag::SPAN,
            most: self.limits.attributes,
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

/// What an event takes, about: a length of two bytes is set aside for it.
const NESTED: usize = 128;

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
        self.attributes.clear();
        self.events.clear();
        self.links.clear();
        self.keys.reset();
        self.nested_keys.reset();
        self.event_count = 0;
        self.link_count = 0;
        self.dropped_attributes = 0;
        self.dropped_events = 0;
        self.dropped_links = 0;
    }
}

impl Footprint for SpanRecorder {
    fn heap_bytes(&self) -> usize {
        self.attributes.heap_bytes()
            + self.events.heap_bytes()
            + self.links.heap_bytes()
            + self.keys.heap_bytes()
            + self.nested_keys.heap_bytes()
    }
}
