use super::limits::SpanLimits;
use super::log_limits::LogRecordLimits;
use crate::attribute::{AttributeWriter, KeyIndex, max_chars};
use crate::protobuf::Message;
use crate::protobuf::schema::{event, log_record, span};
use crate::view::{AttributeView, Repeated};
use zerospan_core::{Footprint, Reset};

/// Encoded attributes that belong to no span or log record yet.
///
/// A caller whose values run foreign code when they are formatted writes them here, with no lock on the span, and moves them
/// into the span afterwards: with [`SpanRecorder::append`](crate::SpanRecorder::append) or
/// [`SpanRecorder::add_event_from`](crate::SpanRecorder::add_event_from). Those of a log record are moved with
/// [`LogRecordRecorder::append`](crate::LogRecordRecorder::append).
#[doc(hidden)]
#[derive(Clone, Debug, Default)]
pub struct AttributeBuffer {
    pub(crate) buffer: Vec<u8>,
    pub(crate) keys: KeyIndex,
    pub(crate) dropped: u32,
}

impl AttributeBuffer {
    /// Creates an empty buffer. Does not allocate.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns a writer of attributes for a span.
    #[inline]
    pub fn span_writer(&mut self, limits: &SpanLimits) -> AttributeWriter<'_> {
        self.keys.keep_repeated = limits.keep_repeated_keys;
        let max_chars = max_chars(limits.max_attribute_value_length);
        let max_attributes = limits.max_attributes_per_span;
        self.writer(span::tag::ATTRIBUTES, max_attributes, max_chars)
    }

    /// Returns a writer of attributes for an event.
    #[inline]
    pub fn event_writer(&mut self, limits: &SpanLimits) -> AttributeWriter<'_> {
        self.keys.keep_repeated = limits.keep_repeated_keys;
        let max_chars = max_chars(limits.max_attribute_value_length);
        let max_attributes = limits.max_attributes_per_event;
        self.writer(event::tag::ATTRIBUTES, max_attributes, max_chars)
    }

    /// Returns a writer of attributes for a log record.
    #[inline]
    pub fn log_writer(&mut self, limits: &LogRecordLimits) -> AttributeWriter<'_> {
        self.keys.keep_repeated = limits.keep_repeated_keys;
        let max_chars = max_chars(limits.max_attribute_value_length);
        let max_attributes = limits.max_attributes;
        self.writer(log_record::tag::ATTRIBUTES, max_attributes, max_chars)
    }

    /// Becomes a copy of `other`, in its own memory.
    #[inline]
    pub fn copy_from(&mut self, other: &Self) {
        self.buffer.clear();
        self.buffer.extend_from_slice(&other.buffer);
        self.keys.copy_from(&other.keys);
        self.dropped = other.dropped;
    }

    /// Sets the attributes of `other`, without limits. Both were written for spans.
    pub fn append(&mut self, other: &Self) {
        other.copy_to(&mut self.span_writer(&SpanLimits::NONE));
    }

    /// Returns the attributes, which were written for a span.
    pub fn span_attributes(&self) -> impl Iterator<Item = AttributeView<'_>> {
        let attributes = Message::new(&self.buffer);
        // This crate wrote these bytes, so each attribute can be read.
        Repeated::new(attributes, span::ATTRIBUTES, AttributeView::parse).flatten()
    }

    /// Returns `true` if there are no attributes, and none was dropped.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.keys.len() == 0 && self.dropped == 0
    }

    /// Returns `true` if `other`, which is empty, may become a copy of this: there are at most `max_attributes`, and both treat
    /// repeated keys alike.
    #[inline]
    pub(super) fn is_within(&self, max_attributes: u32, other: &Self) -> bool {
        self.keys.len() as u64 <= u64::from(max_attributes)
            && self.keys.keep_repeated == other.keys.keep_repeated
    }

    /// Sets these attributes with `writer`, which writes for the same kind of owner. Copies their bytes.
    #[inline]
    pub(super) fn copy_to(&self, writer: &mut AttributeWriter<'_>) {
        writer.append(&self.buffer, &self.keys, self.dropped);
    }

    #[inline(always)]
    pub(super) fn writer(
        &mut self,
        tag: u8,
        max_attributes: u32,
        max_chars: usize,
    ) -> AttributeWriter<'_> {
        AttributeWriter {
            buffer: &mut self.buffer,
            keys: &mut self.keys,
            tag,
            max_attributes,
            max_chars,
            dropped: &mut self.dropped,
        }
    }
}

impl Reset for AttributeBuffer {
    #[inline]
    fn reset(&mut self) {
        self.buffer.clear();
        self.keys.reset();
        self.dropped = 0;
    }
}

impl Footprint for AttributeBuffer {
    fn heap_bytes(&self) -> usize {
        self.buffer.heap_bytes() + self.keys.heap_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recorder::log_record::LogRecordRecorder;
    use crate::recorder::span_recorder::SpanRecorder;
    use zerospan_core::{Attribute, AttributeValue};

    fn texts(recorder: &SpanRecorder) -> Vec<(String, String)> {
        recorder
            .attributes()
            .map(|attribute| (attribute.key.to_owned(), format!("{:?}", attribute.value)))
            .collect()
    }

    #[test]
    fn attributes_of_a_buffer_arrive_as_if_they_had_been_set_on_the_span() {
        let limits = SpanLimits {
            max_attributes_per_span: 5,
            ..SpanLimits::default()
        };
        let long = "x".repeat(300);
        let first = [("a", "1"), ("b", "2"), ("c", &long)];
        let second = [
            ("b", AttributeValue::Str(&long)),
            ("d", AttributeValue::Bytes(&[0, 255])),
            ("a", AttributeValue::I64(7)),
            ("e", AttributeValue::Bool(true)),
            ("f", AttributeValue::F64(f64::NAN)),
            ("d", AttributeValue::Bytes(&[1])),
        ];
        let mut direct = SpanRecorder::with_limits(limits);
        let mut buffered = SpanRecorder::with_limits(limits);
        let mut buffer = AttributeBuffer::new();
        direct.extend(&first);
        buffered.extend(&first);
        for (key, value) in second {
            direct.set_attribute(Attribute::new(key, value));
            buffer
                .span_writer(&limits)
                .set_attribute(Attribute::new(key, value));
        }
        buffered.append(&buffer);
        assert_eq!(texts(&direct), texts(&buffered));
        assert_eq!(direct.dropped_attributes(), 1);
        assert_eq!(buffered.dropped_attributes(), 1);
        // The index still finds every attribute.
        for recorder in [&mut direct, &mut buffered] {
            recorder.set_attribute(Attribute::new("c", "short"));
            recorder.set_attribute(Attribute::new("e", false));
        }
        assert_eq!(texts(&direct), texts(&buffered));
    }

    #[test]
    fn attributes_of_a_buffer_start_a_log_record_as_if_they_had_been_set_on_it() {
        let source = [("a", "1"), ("b", "2"), ("a", "3"), ("c", "4")];
        let limits = |max_attributes, keep_repeated_keys| LogRecordLimits {
            max_attributes,
            keep_repeated_keys,
            ..LogRecordLimits::NONE
        };
        for max in 0..6 {
            for (is_kept_before, is_kept) in [(false, false), (true, true), (false, true)] {
                let mut buffer = AttributeBuffer::new();
                let mut writer = buffer.log_writer(&limits(4, is_kept_before));
                for (key, value) in source {
                    writer.set_attribute(Attribute::new(key, value));
                }
                let mut appended = LogRecordRecorder::with_limits(limits(max, is_kept));
                let mut one_by_one = appended.clone();
                appended.append(&buffer);
                let bytes = Message::new(&buffer.buffer);
                let written = Repeated::new(bytes, log_record::ATTRIBUTES, AttributeView::parse);
                for attribute in written.flatten() {
                    one_by_one.set_view(&attribute);
                }
                let mut encoded = [Vec::new(), Vec::new()];
                for (record, out) in [&mut appended, &mut one_by_one]
                    .into_iter()
                    .zip(&mut encoded)
                {
                    // The index still finds every attribute.
                    record.set_attribute(Attribute::new("b", "5"));
                    record.set_attribute(Attribute::new("d", "6"));
                    record.finish(out);
                }
                assert_eq!(
                    encoded[0], encoded[1],
                    "max {max}, {is_kept_before}, {is_kept}"
                );
            }
        }
    }
}
