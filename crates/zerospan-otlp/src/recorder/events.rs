//! Events.

use super::buffer::AttributeBuffer;
use super::rollback::RollbackOnUnwind;
use super::span_recorder::SpanRecorder;
use crate::attribute::AttributeWriter;
use crate::protobuf::schema::{event, span};
use crate::wire::{append, begin, close, count, fixed64, text};
use std::mem;
use zerospan_core::{AttributeSource, Reset};

/// The expected length of an event: two bytes are reserved for its length.
const EXPECTED_LEN: usize = 128;

impl SpanRecorder {
    /// Adds an event at `time_unix_nanos`, in nanoseconds since the Unix epoch.
    ///
    /// Drops and counts an event beyond the limit, and returns `false`.
    #[inline]
    pub fn add_event<S: AttributeSource + ?Sized>(
        &mut self,
        name: &str,
        time_unix_nanos: u64,
        attributes: &S,
    ) -> bool {
        self.add_event_with(name, time_unix_nanos, |writer| writer.extend(attributes))
    }

    /// Adds an event at `time_unix_nanos`, in nanoseconds since the Unix epoch, with the attributes that `write` sets.
    ///
    /// Drops and counts an event beyond the limit, does not call `write`, and returns `false`.
    ///
    /// # Panics
    ///
    /// Panics if `write` panics. The event is then dropped and counted.
    #[inline]
    pub fn add_event_with(
        &mut self,
        name: &str,
        time_unix_nanos: u64,
        write: impl FnOnce(&mut AttributeWriter<'_>),
    ) -> bool {
        if self.event_count >= self.limits.max_events_per_span {
            self.count_dropped_events(1);
            return false;
        }
        let start = self.events.len();
        self.event_count += 1;
        self.nested_keys.reset();
        let (length, head) = begin(&self.events, span::tag::EVENTS, EXPECTED_LEN);
        let time = fixed64(event::tag::TIME_UNIX_NANO, time_unix_nanos);
        let name = text(event::tag::NAME, name);
        append(&mut self.events, (head, time, name));
        let mut dropped = 0;
        let rollback = RollbackOnUnwind {
            start,
            buffer: &mut self.events,
            count: &mut self.event_count,
            dropped: &mut self.dropped_events,
        };
        write(&mut AttributeWriter {
            buffer: rollback.buffer,
            keys: &mut self.nested_keys,
            tag: event::tag::ATTRIBUTES,
            max_attributes: self.limits.max_attributes_per_event,
            max_chars: self.max_chars,
            dropped: &mut dropped,
        });
        mem::forget(rollback);
        let dropped = count(event::tag::DROPPED_ATTRIBUTES_COUNT, dropped);
        append(&mut self.events, dropped);
        close(&mut self.events, length);
        true
    }

    /// Adds an event with the attributes of a buffer. Copies their bytes.
    ///
    /// Drops and counts an event beyond the limit, and returns `false`.
    #[doc(hidden)]
    pub fn add_event_from(
        &mut self,
        name: &str,
        time_unix_nanos: u64,
        attributes: &AttributeBuffer,
    ) -> bool {
        if self.event_count >= self.limits.max_events_per_span {
            self.count_dropped_events(1);
            return false;
        }
        self.event_count += 1;
        let (length, head) = begin(&self.events, span::tag::EVENTS, EXPECTED_LEN);
        append(
            &mut self.events,
            (
                head,
                fixed64(event::tag::TIME_UNIX_NANO, time_unix_nanos),
                text(event::tag::NAME, name),
                attributes.buffer.as_slice(),
                count(event::tag::DROPPED_ATTRIBUTES_COUNT, attributes.dropped),
            ),
        );
        close(&mut self.events, length);
        true
    }

    /// Counts events that were dropped before they reached the recorder.
    pub fn count_dropped_events(&mut self, count: u32) {
        self.dropped_events = self.dropped_events.saturating_add(count);
    }

    /// Returns the number of events.
    pub fn event_count(&self) -> u32 {
        self.event_count
    }

    /// Returns the number of events that were dropped.
    pub fn dropped_events(&self) -> u32 {
        self.dropped_events
    }
}
