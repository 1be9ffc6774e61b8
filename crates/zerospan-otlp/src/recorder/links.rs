//! Links.

use super::rollback::RollbackOnUnwind;
use super::span_recorder::SpanRecorder;
use crate::attribute::AttributeWriter;
use crate::protobuf::schema::{link, span};
use crate::span::{encode_flags, encode_trace_state, ids};
use crate::wire::{append, close, count, open};
use opentelemetry::trace::SpanContext;
use std::mem;
use zerospan_core::{AttributeSource, Reset};

impl SpanRecorder {
    /// Adds a link to `context`.
    ///
    /// Drops and counts a link beyond the limit, and returns `false`.
    #[inline]
    pub fn add_link<S: AttributeSource + ?Sized>(
        &mut self,
        context: &SpanContext,
        attributes: &S,
    ) -> bool {
        self.add_link_with(context, |writer| writer.extend(attributes))
    }

    /// Adds a link to `context` with the attributes that `write` sets.
    ///
    /// Drops and counts a link beyond the limit, does not call `write`, and returns `false`.
    ///
    /// # Panics
    ///
    /// Panics if `write` panics. The link is then dropped and counted.
    #[inline]
    pub fn add_link_with(
        &mut self,
        context: &SpanContext,
        write: impl FnOnce(&mut AttributeWriter<'_>),
    ) -> bool {
        if self.link_count >= self.limits.max_links_per_span {
            self.count_dropped_links(1);
            return false;
        }
        let start = self.links.len();
        self.link_count += 1;
        self.nested_keys.reset();
        let length = open(&mut self.links, span::tag::LINKS, 0);
        append(&mut self.links, ids(context.trace_id(), context.span_id()));
        encode_trace_state(
            link::tag::TRACE_STATE,
            context.trace_state(),
            &mut self.links,
        );
        let mut dropped = 0;
        let rollback = RollbackOnUnwind {
            start,
            buffer: &mut self.links,
            count: &mut self.link_count,
            dropped: &mut self.dropped_links,
        };
        write(&mut AttributeWriter {
            buffer: rollback.buffer,
            keys: &mut self.nested_keys,
            tag: link::tag::ATTRIBUTES,
            max_attributes: self.limits.max_attributes_per_link,
            max_chars: self.max_chars,
            dropped: &mut dropped,
        });
        mem::forget(rollback);
        let dropped = count(link::tag::DROPPED_ATTRIBUTES_COUNT, dropped);
        let flags = encode_flags(context.trace_flags(), context.is_remote());
        append(&mut self.links, (dropped, [link::tag::FLAGS], flags));
        close(&mut self.links, length);
        true
    }

    /// Counts links that were dropped before they reached the recorder.
    pub fn count_dropped_links(&mut self, count: u32) {
        self.dropped_links = self.dropped_links.saturating_add(count);
    }

    /// Returns the number of links.
    pub fn link_count(&self) -> u32 {
        self.link_count
    }

    /// Returns the number of links that were dropped.
    pub fn dropped_links(&self) -> u32 {
        self.dropped_links
    }
}
