use super::{SpanRecorder, Torn};
use crate::attribute::tag;
use crate::attributes::AttributeWriter;
use crate::header::{count, fixed64};
use crate::nested;
use crate::wire::{Varint, append};
use std::mem;
use zerospan_core::{AttributeSource, Reset};

/// What an event takes, about: a length of two bytes is set aside for it.
const NESTED: usize = 128;

/// Events.
impl SpanRecorder {
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
        if self.event_count >= self.limits.max_events_per_span {
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
            most: self.limits.max_attributes_per_event,
            most_chars: self.most_chars,
            dropped: &mut dropped,
        });
        mem::forget(torn);
        append(&mut self.events, count(0x20, dropped));
        nested::close(&mut self.events, open);
        true
    }

    /// Counts events that were dropped before they reached the recorder.
    pub fn count_dropped_events(&mut self, count: u32) {
        self.dropped_events = self.dropped_events.saturating_add(count);
    }

    /// How many events the span holds.
    pub fn event_count(&self) -> u32 {
        self.event_count
    }

    /// How many of the span's events were dropped.
    pub fn dropped_events(&self) -> u32 {
        self.dropped_events
    }
}
