//! fast-telemetry. Its exporter drains every 10 seconds, and no caller can hasten it; here the flush drains, encodes as that
//! exporter does, and delivers to memory.

use super::Client;
use crate::workload::{
    CHILD, EVENT, EVENT_ATTRIBUTES, KEYS, NUMBER, ROOT, TEXT, Workload, dynamic,
};
use benches::pipelines::{SCOPE, SERVICE};
use benches::sink::Sink;
use fast_telemetry::otlp::{build_resource, encode_native_trace_export_request_chunks, pb};
use fast_telemetry::{Span, SpanAttribute, SpanBatch, SpanCollector, SpanKind, SpanValue};
use std::hint::black_box;
use std::sync::{Arc, Mutex, PoisonError};

pub(super) struct FastTelemetry {
    collector: Arc<SpanCollector>,
    drained: Mutex<SpanBatch>,
    resource: pb::Resource,
    sink: Sink,
}

/// The exporter's default.
const SPANS_PER_REQUEST: usize = 512;

impl FastTelemetry {
    pub(super) fn new(sink: &Sink) -> Self {
        Self {
            // The crate ignores both numbers.
            collector: Arc::new(SpanCollector::new(1, 1)),
            drained: Mutex::new(SpanBatch::new()),
            resource: build_resource(SERVICE, &[]),
            sink: sink.clone(),
        }
    }
}

impl Client for FastTelemetry {
    fn record(&self, workload: Workload, times: u64) {
        for _ in 0..times {
            let mut root = self.collector.start_span(ROOT, SpanKind::Internal);
            if workload.is_dynamic() {
                for (index, key) in KEYS[..workload.attributes()].iter().enumerate() {
                    root.set_attribute(*key, dynamic!(index).to_string());
                }
                continue;
            }
            fill(&mut root, workload.attributes());
            for _ in 0..workload.events() {
                let attributes = (0..EVENT_ATTRIBUTES)
                    .map(|index| SpanAttribute::new(KEYS[index], value(index)));
                root.add_event(EVENT, attributes.collect());
            }
            for _ in 0..workload.children() {
                let mut child = root.child(CHILD, SpanKind::Internal);
                fill(&mut child, workload.attributes());
            }
        }
    }

    fn flush_thread(&self) {
        self.collector.flush_local();
    }

    fn flush(&self) -> anyhow::Result<()> {
        let mut drained = self.drained.lock().unwrap_or_else(PoisonError::into_inner);
        self.collector.drain_batches(&mut drained);
        for request in encode_native_trace_export_request_chunks(
            &self.resource,
            SCOPE,
            &drained,
            SPANS_PER_REQUEST,
        ) {
            self.sink.receive(request.as_bytes(), request.span_count());
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
