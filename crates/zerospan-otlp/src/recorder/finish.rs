//! The end.

use super::span_recorder::SpanRecorder;
use crate::protobuf::field_len;
use crate::protobuf::schema::{scope_items, span};
use crate::span::{END_TIME_LEN, FLAGS_LEN, encode_tail, status_len, unset_tail};
use crate::wire::{Varint, append, count, count_len, fixed64, reserve};
use opentelemetry::trace::Status;

impl SpanRecorder {
    /// Returns the number of bytes that [`finish`](Self::finish) appends for the same arguments.
    #[inline]
    pub fn encoded_len(&self, end_unix_nanos: u64, status: &Status) -> usize {
        field_len(self.content_len(end_unix_nanos, status))
    }

    /// Appends the span to `out`: the whole field `ScopeSpans.spans`, tag and length included.
    ///
    /// `end_unix_nanos` is the end time, in nanoseconds since the Unix epoch. The description of a status is written only with an
    /// error. The recorder does not change.
    ///
    /// Allocates only if `out` has no room for [`encoded_len`](Self::encoded_len) plus
    /// [`SPARE_CAPACITY`](crate::SPARE_CAPACITY) bytes, and then once.
    #[inline(always)]
    pub fn finish(&self, end_unix_nanos: u64, status: &Status, out: &mut Vec<u8>) {
        let is_plain = self.has_only_attributes() && matches!(status, Status::Unset);
        if !is_plain || end_unix_nanos == 0 || self.head.len == 0 {
            return self.finish_any(end_unix_nanos, status, out);
        }
        // The status is present and empty: two bytes.
        let length = self.span.len() + 2 + FLAGS_LEN;
        append(
            out,
            (
                [scope_items::tag::ITEMS],
                Varint(length as u64),
                self.span.as_slice(),
                unset_tail(self.head.flags),
            ),
        );
        let end = out.len() - length + self.head.len;
        if let Some(place) = out.get_mut(end + 1 - END_TIME_LEN..end) {
            place.copy_from_slice(&end_unix_nanos.to_le_bytes());
        }
    }

    #[inline(never)]
    fn finish_any(&self, end_unix_nanos: u64, status: &Status, out: &mut Vec<u8>) {
        let length = self.content_len(end_unix_nanos, status);
        reserve(out, field_len(length));
        let start = out.len();
        let (head, attributes) = self.span.split_at(self.head.len);
        let head = &head[..head.len().saturating_sub(END_TIME_LEN)];
        append(
            out,
            (
                [scope_items::tag::ITEMS],
                Varint(length as u64),
                head,
                fixed64(span::tag::END_TIME_UNIX_NANO, end_unix_nanos),
                attributes,
                count(span::tag::DROPPED_ATTRIBUTES_COUNT, self.dropped_attributes),
            ),
        );
        append(
            out,
            (
                self.events.as_slice(),
                count(span::tag::DROPPED_EVENTS_COUNT, self.dropped_events),
                self.links.as_slice(),
                count(span::tag::DROPPED_LINKS_COUNT, self.dropped_links),
            ),
        );
        encode_tail(status, self.head.flags, out);
        debug_assert_eq!(out.len() - start, field_len(length));
    }

    fn content_len(&self, end_unix_nanos: u64, status: &Status) -> usize {
        let end = if end_unix_nanos == 0 { 0 } else { END_TIME_LEN };
        // The head has room for the end time, once the span began.
        let reserved = self.head.len.min(END_TIME_LEN);
        self.span.len() - reserved
            + end
            + count_len(self.dropped_attributes)
            + self.events.len()
            + count_len(self.dropped_events)
            + self.links.len()
            + count_len(self.dropped_links)
            + field_len(status_len(status))
            + FLAGS_LEN
    }
}
