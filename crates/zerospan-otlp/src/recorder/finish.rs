use super::SpanRecorder;
use super::head::END;
use crate::header::{END_TAG, FLAGS_LEN, count, count_len, fixed64, status_len, write_tail};
use crate::protobuf::field_len;
use crate::wire::{Varint, append, make_room};
use opentelemetry::trace::Status;

/// The end.
impl SpanRecorder {
    /// The bytes that [`finish`](Self::finish) writes for the same arguments.
    #[inline]
    pub fn encoded_len(&self, end_unix_nanos: u64, status: &Status) -> usize {
        field_len(self.body_len(end_unix_nanos, status))
    }

    /// Appends the span, which ended at `end_unix_nanos`, nanoseconds since 1970, with `status`, to `out`: the whole field
    /// `ScopeSpans.spans`, tag and length included. The description of a status counts only with an error.
    ///
    /// The recorder stays as it is. Allocates only if `out` has no room for
    /// [`encoded_len`](Self::encoded_len) + [`SPARE_CAPACITY`](crate::SPARE_CAPACITY) bytes, and then once.
    #[inline]
    pub fn finish(&self, end_unix_nanos: u64, status: &Status, out: &mut Vec<u8>) {
        let is_plain = !self.is_more_than_attributes() && matches!(status, Status::Unset);
        if !is_plain || end_unix_nanos == 0 || self.head.len == 0 {
            return self.finish_any(end_unix_nanos, status, out);
        }
        // Status, which is there though it is unset, and flags.
        let tail = ([0x7a, 0x00, 0x85, 0x01], self.head.flags);
        let length = self.span.len() + 2 + FLAGS_LEN;
        append(
            out,
            ([0x12], Varint(length as u64), self.span.as_slice(), tail),
        );
        let end = out.len() - length + self.head.len;
        if let Some(place) = out.get_mut(end + 1 - END..end) {
            place.copy_from_slice(&end_unix_nanos.to_le_bytes());
        }
    }

    #[inline(never)]
    fn finish_any(&self, end_unix_nanos: u64, status: &Status, out: &mut Vec<u8>) {
        let length = self.body_len(end_unix_nanos, status);
        make_room(out, field_len(length));
        let start = out.len();
        let (head, attributes) = self.span.split_at(self.head.len);
        let head = &head[..head.len().saturating_sub(END)];
        append(
            out,
            (
                [0x12],
                Varint(length as u64),
                head,
                fixed64(END_TAG, end_unix_nanos),
                attributes,
                count(0x50, self.dropped_attributes),
            ),
        );
        append(
            out,
            (
                self.events.as_slice(),
                count(0x60, self.dropped_events),
                self.links.as_slice(),
                count(0x70, self.dropped_links),
            ),
        );
        write_tail(status, self.head.flags, out);
        debug_assert_eq!(out.len() - start, field_len(length));
    }

    fn body_len(&self, end_unix_nanos: u64, status: &Status) -> usize {
        let end = if end_unix_nanos == 0 { 0 } else { END };
        // Room is left for the end once the span began.
        let left = self.head.len.min(END);
        self.span.len() - left
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
