use super::buffer::AttributeBuffer;
use super::log_limits::LogRecordLimits;
use crate::attribute::{
    AttributeWriter, HashedKey, StaticKey, TextWriter, hash, key_is, max_chars,
};
use crate::protobuf::Message;
use crate::protobuf::schema::log_record;
use crate::view::{AttributeView, Repeated, ValueView};
#[cfg(feature = "logs")]
use opentelemetry::logs::AnyValue;
use opentelemetry::trace::{SpanId, TraceFlags, TraceId};
use std::borrow::Cow;
use std::fmt;
use zerospan_core::{
    Attribute, AttributeSink, AttributeSource, AttributeValue, ExtendError, Footprint, Reset,
    SinkError,
};

/// A log record that is being recorded, in encoded form.
///
/// Each method sets one field, in any order; the last call counts. [`finish`](Self::finish) appends the whole record.
/// [`reset`](Reset::reset) clears the recorder for the next record and keeps its memory. The last value of a key wins. Attributes
/// beyond the [`LogRecordLimits`] are dropped and counted, and the count is written with the record.
///
/// Allocates only to grow its memory: a recorder that has held a record holds one of the same size without allocation.
///
/// # Examples
///
/// ```
/// use zerospan_core::Reset;
/// use zerospan_otlp::{LogRecordRecorder, StaticKey};
///
/// const USER: StaticKey = StaticKey::new("enduser.id");
///
/// let mut record = LogRecordRecorder::new();
/// let mut out = Vec::with_capacity(1024);
///
/// let now = 1_780_000_000_000_000_000;
/// let failures = 3;
/// record.set_time(now);
/// record.set_observed_time(now);
/// record.set_severity_number(13);
/// record.set_severity_text("WARN");
/// record.set_body_fmt(format_args!("login failed {failures} times"));
/// record.set(&USER, "u-42");
/// record.finish(&mut out);
/// record.reset();
/// assert_eq!(out[0], 0x12, "the field `ScopeLogs.log_records`");
/// ```
#[derive(Clone)]
pub struct LogRecordRecorder {
    limits: LogRecordLimits,
    /// The maximum length of a value, as the encoder takes it.
    max_chars: usize,
    pub(super) time: u64,
    pub(super) observed_time: u64,
    pub(super) severity_number: u8,
    pub(super) flags: u8,
    pub(super) ids: Option<(TraceId, SpanId)>,
    pub(super) severity_text: Cow<'static, str>,
    pub(super) event_name: Cow<'static, str>,
    /// The whole field with the body.
    pub(super) body: Vec<u8>,
    pub(super) attributes: AttributeBuffer,
}

impl LogRecordRecorder {
    /// Creates a recorder with the default limits. Does not allocate.
    pub fn new() -> Self {
        Self::with_limits(LogRecordLimits::default())
    }

    /// Creates a recorder with `limits`. Does not allocate.
    pub fn with_limits(limits: LogRecordLimits) -> Self {
        let mut recorder = Self {
            limits,
            max_chars: 0,
            time: 0,
            observed_time: 0,
            severity_number: 0,
            flags: 0,
            ids: None,
            severity_text: Cow::Borrowed(""),
            event_name: Cow::Borrowed(""),
            body: Vec::new(),
            attributes: AttributeBuffer::new(),
        };
        recorder.set_limits(limits);
        recorder
    }

    /// Returns the limits.
    pub fn limits(&self) -> &LogRecordLimits {
        &self.limits
    }

    /// Changes the limits. Keeps data that is recorded already.
    pub fn set_limits(&mut self, limits: LogRecordLimits) {
        self.limits = limits;
        self.max_chars = max_chars(limits.max_attribute_value_length);
        self.attributes.keys.keep_repeated = limits.keep_repeated_keys;
    }

    /// Returns the number of bytes of body and attributes that are recorded.
    #[doc(hidden)]
    pub fn recorded_bytes(&self) -> usize {
        self.body.len() + self.attributes.buffer.len()
    }

    /// Sets the time of the event, in nanoseconds since the Unix epoch. 0 is unknown.
    #[inline]
    pub fn set_time(&mut self, unix_nanos: u64) {
        self.time = unix_nanos;
    }

    /// Sets the time at which the event was observed, in nanoseconds since the Unix epoch.
    #[inline]
    pub fn set_observed_time(&mut self, unix_nanos: u64) {
        self.observed_time = unix_nanos;
    }

    /// Sets the severity: 1 trace, 5 debug, 9 info, 13 warn, 17 error, 21 fatal, and numbers between for finer grades.
    ///
    /// A number that is not from 1 to 24 means nothing in OpenTelemetry and leaves the severity unspecified. The API's `Severity`
    /// converts by `as u8`.
    #[inline]
    pub fn set_severity_number(&mut self, number: u8) {
        self.severity_number = if number <= 24 { number } else { 0 };
    }

    /// Sets the name that the source gives the severity.
    #[inline]
    pub fn set_severity_text(&mut self, text: impl Into<Cow<'static, str>>) {
        self.severity_text = text.into();
    }

    /// Sets the name of the kind of event.
    #[inline]
    pub fn set_event_name(&mut self, name: impl Into<Cow<'static, str>>) {
        self.event_name = name.into();
    }

    /// Sets the span that the record belongs to. Invalid ids are written unchanged.
    #[inline]
    pub fn set_trace_context(&mut self, trace_id: TraceId, span_id: SpanId, flags: TraceFlags) {
        self.ids = Some((trace_id, span_id));
        self.flags = flags.to_u8();
    }

    /// Sets `key` to `value`, in the fastest way. Drops and counts an attribute that is beyond the limits.
    #[inline(always)]
    pub fn set<'v>(&mut self, key: &StaticKey, value: impl Into<AttributeValue<'v>>) {
        self.writer().set(key, value);
    }

    /// Sets `key` to `value`. Drops and counts an attribute that is beyond the limits.
    #[inline(always)]
    pub fn set_hashed<'v>(&mut self, key: HashedKey<'_>, value: impl Into<AttributeValue<'v>>) {
        self.writer().set_hashed(key, value);
    }

    /// Sets an attribute. Drops and counts it if it is beyond the limits.
    #[inline(always)]
    pub fn set_attribute(&mut self, attribute: Attribute<'_>) {
        self.writer().set_attribute(attribute);
    }

    /// Sets `key` to a text, which is formatted in place. Drops and counts an attribute that is beyond the limits.
    ///
    /// # Panics
    ///
    /// Panics if formatting panics. The attribute is then dropped and counted.
    #[inline]
    pub fn set_fmt<'k>(&mut self, key: impl Into<HashedKey<'k>>, value: fmt::Arguments<'_>) {
        self.writer().set_fmt(key, value);
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
        self.writer().set_text_with(key, write);
    }

    /// Sets `key` to a value of the API, as [`AttributeWriter::set_any`] does.
    #[cfg(feature = "logs")]
    #[inline]
    pub fn set_any<'k>(&mut self, key: impl Into<HashedKey<'k>>, value: &AnyValue) {
        self.writer().set_any(key, value);
    }

    /// Sets every attribute of `source`. Drops and counts those that are beyond the limits.
    #[inline]
    pub fn extend<S: AttributeSource + ?Sized>(&mut self, source: &S) {
        self.writer().extend(source);
    }

    /// Sets an attribute of a span or of another record. Copies its bytes.
    #[inline]
    pub fn set_view(&mut self, attribute: &AttributeView<'_>) {
        self.writer().set_view(attribute);
    }

    /// Returns a writer of the attributes.
    #[inline(always)]
    pub fn writer(&mut self) -> AttributeWriter<'_> {
        self.attributes.writer(
            log_record::tag::ATTRIBUTES,
            self.limits.max_attributes,
            self.max_chars,
        )
    }

    /// Sets the attributes of a buffer. Copies their bytes.
    #[doc(hidden)]
    #[inline]
    pub fn append(&mut self, attributes: &AttributeBuffer) {
        let is_first = self.attributes.is_empty();
        if is_first && attributes.is_within(self.limits.max_attributes, &self.attributes) {
            return self.attributes.copy_from(attributes);
        }
        attributes.copy_to(&mut self.writer());
    }

    /// Counts attributes that were dropped before they reached the recorder.
    pub fn count_dropped_attributes(&mut self, count: u32) {
        self.attributes.dropped = self.attributes.dropped.saturating_add(count);
    }

    /// Returns the time of the event, in nanoseconds since the Unix epoch, or 0.
    #[inline]
    pub fn time_unix_nanos(&self) -> u64 {
        self.time
    }

    /// Returns the time at which the event was observed, in nanoseconds since the Unix epoch, or 0.
    #[inline]
    pub fn observed_time_unix_nanos(&self) -> u64 {
        self.observed_time
    }

    /// Returns the severity, or 0.
    #[inline]
    pub fn severity_number(&self) -> u8 {
        self.severity_number
    }

    /// Returns the name that the source gives the severity, or an empty text.
    #[inline]
    pub fn severity_text(&self) -> &str {
        &self.severity_text
    }

    /// Returns the name of the kind of event, or an empty text.
    #[inline]
    pub fn event_name(&self) -> &str {
        &self.event_name
    }

    /// Returns the ids of the span that the record belongs to.
    #[inline]
    pub fn span(&self) -> Option<(TraceId, SpanId)> {
        self.ids
    }

    /// Returns the trace flags.
    #[inline]
    pub fn trace_flags(&self) -> TraceFlags {
        TraceFlags::new(self.flags)
    }

    /// Returns the attributes, in the order in which their keys were first set. Does not allocate.
    pub fn attributes(&self) -> impl Iterator<Item = AttributeView<'_>> {
        let attributes = Message::new(&self.attributes.buffer);
        // The recorder wrote these bytes, so each attribute can be read.
        Repeated::new(attributes, log_record::ATTRIBUTES, AttributeView::parse).flatten()
    }

    /// Returns the value of the attribute `key`, the last one if repeated keys are kept. Does not allocate.
    pub fn attribute(&self, key: &str) -> Option<ValueView<'_>> {
        if self.attributes.keys.keep_repeated {
            return self
                .attributes()
                .filter(|held| held.key == key)
                .last()?
                .value;
        }
        let AttributeBuffer { buffer, keys, .. } = &self.attributes;
        let is_match = |start| key_is(buffer, start, key);
        let index = keys.find(hash(key.as_bytes()), |entry| is_match(entry.start))?;
        let start = keys.entries().get(index)?.start;
        let attributes = Message::new(buffer.get(start..)?);
        let mut attributes =
            Repeated::new(attributes, log_record::ATTRIBUTES, AttributeView::parse);
        attributes.next()?.ok()?.value
    }

    /// Returns the number of attributes.
    pub fn attribute_count(&self) -> u32 {
        self.attributes.keys.len() as u32
    }

    /// Returns the number of attributes that were dropped.
    pub fn dropped_attributes(&self) -> u32 {
        self.attributes.dropped
    }
}

impl Default for LogRecordRecorder {
    fn default() -> Self {
        Self::new()
    }
}

/// Sets attributes of the record.
impl AttributeSink for LogRecordRecorder {
    #[inline]
    fn push_attribute(&mut self, attribute: Attribute<'_>) -> Result<(), SinkError> {
        self.writer().push_attribute(attribute)
    }

    #[inline]
    fn reserve_attributes(&mut self, additional: usize) {
        self.writer().reserve_attributes(additional);
    }

    #[inline]
    fn push_all<S: AttributeSource + ?Sized>(&mut self, source: &S) -> Result<(), ExtendError> {
        self.writer().push_all(source)
    }
}

/// Prints counts, not contents.
impl fmt::Debug for LogRecordRecorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogRecordRecorder")
            .field("severity_number", &self.severity_number)
            .field("attributes", &self.attribute_count())
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// Keeps the limits.
impl Reset for LogRecordRecorder {
    #[inline]
    fn reset(&mut self) {
        self.time = 0;
        self.observed_time = 0;
        self.severity_number = 0;
        self.flags = 0;
        self.ids = None;
        self.severity_text = Cow::Borrowed("");
        self.event_name = Cow::Borrowed("");
        self.body.clear();
        self.attributes.reset();
    }
}

impl Footprint for LogRecordRecorder {
    fn heap_bytes(&self) -> usize {
        self.body.heap_bytes() + self.attributes.heap_bytes()
    }
}
