//! fast-telemetry: a collector that is drained, and an encoder of its own. Its exporter drains every 10 seconds, which no
//! caller can hasten; here whoever flushes drains, encodes as that exporter does, and sends into memory.

use super::Work;
use super::crew::Pipeline;
use super::sink::{Memory, SCOPE, SERVICE};
use super::work::{
    CHILD, CHILDREN, EVENT, EVENT_ATTRIBUTES, EVENTS, KEYS, NUMBER, ROOT, TEXT, dynamic,
};
use fast_telemetry::otlp::{build_resource, encode_native_trace_export_request_chunks, pb};
use fast_telemetry::{Span, SpanAttribute, SpanBatch, SpanCollector, SpanKind, SpanValue};
use std::hint::black_box;
use std::sync::{Arc, Mutex, PoisonError};

pub(super) struct FastTelemetry {
    collector: Arc<SpanCollector>,
    drained: Mutex<SpanBatch>,
    resource: pb::Resource,
    memory: Memory,
}

/// What the exporter has as its default.
const SPANS_PER_REQUEST: usize = 512;

impl FastTelemetry {
    pub(super) fn new(memory: &Memory) -> Self {
        // The two numbers are not used any more, as the crate says.
        Self {
            collector: Arc::new(SpanCollector::new(1, 1)),
            drained: Mutex::new(SpanBatch::new()),
            resource: build_resource(SERVICE, &[]),
            memory: memory.clone(),
        }
    }
}

impl Pipeline for FastTelemetry {
    fn record(&self, work: Work, times: u64) {
        for _ in 0..times {
            let mut root = self.collector.start_span(ROOT, SpanKind::Internal);
            match work {
                Work::Dynamic => {
                    for (index, key) in KEYS[..work.attributes()].iter().enumerate() {
                        root.set_attribute(*key, dynamic!(index).to_string());
                    }
                }
                _ => fill(&mut root, work.attributes()),
            }
            match work {
                Work::Tree => {
                    for _ in 0..CHILDREN {
                        let mut child = root.child(CHILD, SpanKind::Internal);
                        fill(&mut child, work.attributes());
                    }
                }
                Work::Events => {
                    for _ in 0..EVENTS {
                        let attributes = (0..EVENT_ATTRIBUTES)
                            .map(|index| SpanAttribute::new(KEYS[index], value(index)));
                        root.add_event(EVENT, attributes.collect());
                    }
                }
                _ => (),
            }
        }
    }

    fn settle(&self) {
        self.collector.flush_local();
    }

    fn flush(&self) -> Result<(), String> {
        let mut drained = self.drained.lock().unwrap_or_else(PoisonError::into_inner);
        self.collector.drain_batches(&mut drained);
        for request in encode_native_trace_export_request_chunks(
            &self.resource,
            SCOPE,
            &drained,
            SPANS_PER_REQUEST,
        ) {
            self.memory.take(request.as_bytes(), request.span_count());
        }
        drained.clear();
        Ok(())
    }
}

fn fill(span: &mut Span<'_>, attributes: usize) {
    for (index, key) in KEYS[..attributes].iter().enumerate() {
        span.set_attribute(*key, value(index));
    }
}

fn value(index: usize) -> SpanValue {
    if index.is_multiple_of(2) {
        SpanValue::from(black_box(TEXT))
    } else {
        SpanValue::from(black_box(NUMBER))
    }
}
