use super::{SpanRecorder, Torn};
use crate::attribute::tag;
use crate::attributes::AttributeWriter;
use crate::header::{count, flags, write_trace_state};
use crate::nested;
use crate::wire::append;
use opentelemetry::trace::SpanContext;
use std::mem;
use zerospan_core::{AttributeSource, Reset};

/// Links.
impl SpanRecorder {
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
        if self.link_count >= self.limits.max_links_per_span {
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
            most: self.limits.max_attributes_per_link,
            most_chars: self.most_chars,
            dropped: &mut dropped,
        });
        mem::forget(torn);
        let flags = flags(context.trace_flags(), context.is_remote());
        append(&mut self.links, (count(0x28, dropped), [0x35], flags));
        nested::close(&mut self.links, open);
        true
    }

    /// Counts links that were dropped before they reached the recorder.
    pub fn count_dropped_links(&mut self, count: u32) {
        self.dropped_links = self.dropped_links.saturating_add(count);
    }

    /// How many links the span holds.
    pub fn link_count(&self) -> u32 {
        self.link_count
    }

    /// How many of the span's links were dropped.
    pub fn dropped_links(&self) -> u32 {
        self.dropped_links
    }
}
