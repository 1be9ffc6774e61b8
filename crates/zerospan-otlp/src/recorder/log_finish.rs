//! The end of a log record.

use super::log_record::LogRecordRecorder;
use crate::protobuf::field_len;
use crate::protobuf::schema::log_record::tag;
use crate::protobuf::schema::scope_items;
use crate::wire::{
    Encode, LengthPrefix, ShortBytes, append, begin, close, count, count_len, fixed64, text,
};

/// The length of the trace id, the span id and their tags.
const IDS_LEN: usize = 2 + 16 + 2 + 8;
/// The length of a field with a time.
const TIME_LEN: usize = 1 + 8;
/// The length of the field with the flags.
const FLAGS_LEN: usize = 1 + 4;
/// The length of the fields of most records, without body and attributes.
const EXPECTED_LEN: usize = 2 * TIME_LEN + 2 + 6 + FLAGS_LEN + IDS_LEN;

impl LogRecordRecorder {
    /// Returns the number of bytes that [`finish`](Self::finish) appends.
    #[inline]
    pub fn encoded_len(&self) -> usize {
        field_len(self.content_len())
    }

    /// Appends the log record to `out`: the whole field `ScopeLogs.log_records`, tag and length included. The recorder does not
    /// change.
    ///
    /// Allocates only if `out` has no room for [`encoded_len`](Self::encoded_len) plus
    /// [`SPARE_CAPACITY`](crate::SPARE_CAPACITY) bytes, and then once.
    #[inline]
    pub fn finish(&self, out: &mut Vec<u8>) {
        let is_plain = self.event_name.is_empty() && self.attributes.dropped == 0;
        let severity_text = ShortBytes::non_empty(self.severity_text.as_bytes());
        match severity_text {
            Some(text) if is_plain && self.severity_number != 0 => {
                self.finish_plain(text, out);
            }
            _ => self.finish_any(out),
        }
    }

    /// Appends a record of the usual kind: with severity number and text, and neither event name nor dropped attributes.
    #[inline(always)]
    fn finish_plain(&self, severity_text: ShortBytes<'_>, out: &mut Vec<u8>) {
        let severity = [
            tag::SEVERITY_NUMBER,
            self.severity_number,
            tag::SEVERITY_TEXT,
            severity_text.len() as u8,
        ];
        let (length, head) = self.begin(out);
        append(
            out,
            (
                head,
                fixed64(tag::TIME_UNIX_NANO, self.time),
                (severity, severity_text),
                self.body.as_slice(),
                self.attributes.buffer.as_slice(),
                self.trace_context(),
                fixed64(tag::OBSERVED_TIME_UNIX_NANO, self.observed_time),
            ),
        );
        close(out, length);
    }

    #[inline(never)]
    fn finish_any(&self, out: &mut Vec<u8>) {
        let (length, head) = self.begin(out);
        append(
            out,
            (
                head,
                fixed64(tag::TIME_UNIX_NANO, self.time),
                self.severity(),
                text(tag::SEVERITY_TEXT, &self.severity_text),
                self.body.as_slice(),
                self.attributes.buffer.as_slice(),
                count(tag::DROPPED_ATTRIBUTES_COUNT, self.attributes.dropped),
                self.trace_context(),
                fixed64(tag::OBSERVED_TIME_UNIX_NANO, self.observed_time),
                text(tag::EVENT_NAME, &self.event_name),
            ),
        );
        close(out, length);
    }

    /// Starts the field. Filling its length in is quicker than adding it up.
    #[inline(always)]
    fn begin(&self, out: &[u8]) -> (LengthPrefix, impl Encode + use<>) {
        let content = self.body.len() + self.attributes.buffer.len();
        begin(out, scope_items::tag::ITEMS, content + EXPECTED_LEN)
    }

    #[inline(always)]
    fn severity(&self) -> Option<[u8; 2]> {
        (self.severity_number != 0).then_some([tag::SEVERITY_NUMBER, self.severity_number])
    }

    /// Encodes the flags, which are left out if they are 0, and the ids.
    #[inline(always)]
    fn trace_context(&self) -> impl Encode {
        let flags = (self.flags != 0).then_some([tag::FLAGS, self.flags, 0, 0, 0]);
        let ids = self.ids.map(|(trace_id, span_id)| {
            let (trace_id, span_id) = (trace_id.to_bytes(), span_id.to_bytes());
            ([tag::TRACE_ID, 16], trace_id, [tag::SPAN_ID, 8], span_id)
        });
        (flags, ids)
    }

    #[inline]
    fn content_len(&self) -> usize {
        let if_set = |is_set: bool, length| if is_set { length } else { 0 };
        let text_len = |text: &str| if_set(!text.is_empty(), field_len(text.len()));
        if_set(self.time != 0, TIME_LEN)
            + if_set(self.severity_number != 0, 2)
            + text_len(&self.severity_text)
            + self.body.len()
            + self.attributes.buffer.len()
            + count_len(self.attributes.dropped)
            + if_set(self.flags != 0, FLAGS_LEN)
            + if_set(self.ids.is_some(), IDS_LEN)
            + if_set(self.observed_time != 0, TIME_LEN)
            + text_len(&self.event_name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use opentelemetry::trace::{SpanId, TraceFlags, TraceId};

    #[test]
    fn a_usual_record_has_the_expected_length() {
        let mut record = LogRecordRecorder::new();
        record.set_time(1);
        record.set_observed_time(2);
        record.set_severity_number(9);
        record.set_severity_text("INFO");
        record.set_trace_context(TraceId::from(1), SpanId::from(2), TraceFlags::SAMPLED);
        assert_eq!(record.content_len(), EXPECTED_LEN);
    }
}
