//! The hot paths whose instructions are counted by `cargo xtask guard`.
//!
//! A count does not scatter as times do: a change of a few percent shows on any machine. It says nothing about the cost of
//! an instruction; the rows measure that.

mod propagation;

use crate::comparison::Comparison;
use crate::pipelines::{self, QUEUE};
use crate::rows;
use crate::sink::{Sink, decode};
use opentelemetry::InstrumentationScope;
use opentelemetry::trace::{SpanContext, SpanId, Status, TraceFlags, TraceId, TraceState};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use opentelemetry_proto::transform::trace::tonic::group_spans_by_resource_and_scope;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use prost::Message;
use std::cell::RefCell;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use zerospan_export::{InMemoryTransport, Pipeline, Scope};
use zerospan_otlp::{SpanRecorder, SpanStart, StaticKey};
use zerospan_sdk::OtlpSpanExporter;

/// One side of a comparison, whose instructions are counted.
#[derive(Clone, Copy, Debug)]
pub struct HotPath {
    /// The identifier: the row's, if our side of a row is counted.
    pub id: &'static str,
    prepare: fn(&str) -> Comparison,
    run: fn(&mut Comparison),
}

/// Every hot path.
pub const HOT_PATHS: &[HotPath] = &[
    HotPath::row("arena.attributes"),
    HotPath::row("arena.strings"),
    HotPath::row("core.source"),
    HotPath::new("export.record", |_| record_encoded_spans()),
    HotPath::row("logs.api"),
    HotPath::row("logs.appender"),
    HotPath::row("logs.appender_eight"),
    HotPath::row("logs.bridge"),
    HotPath::row("logs.disabled"),
    HotPath::row("logs.native"),
    HotPath::row("otlp.borrowed"),
    HotPath::row("otlp.borrowed_events"),
    HotPath {
        // The peer of this row is our recorder with `KeyValue`.
        id: "otlp.key_value",
        prepare: |_| row("otlp.static"),
        run: Comparison::run_peer,
    },
    HotPath {
        // The peer of this row is our recorder with `core::fmt`.
        id: "otlp.formatted",
        prepare: |_| row("otlp.text"),
        run: Comparison::run_peer,
    },
    HotPath::row("otlp.static"),
    HotPath::row("otlp.text"),
    HotPath::row("pool.span"),
    HotPath::new("sdk.export", |_| export_batches()),
    HotPath::row("sdk.processor"),
    HotPath::row("stack.attributes"),
    HotPath::row("trace.native"),
    HotPath::row("trace.native_each"),
    HotPath::row("trace.nested"),
    HotPath::row("trace.nested_native"),
    HotPath::row("trace.otel"),
    HotPath::new("trace.traceparent_read", |_| propagation::read()),
    HotPath::new("trace.traceparent_write", |_| propagation::write()),
    HotPath::row("trace.unsampled"),
    HotPath::row("tracing.events"),
    HotPath::row("tracing.formatted"),
    HotPath::row("tracing.layer"),
    HotPath::row("tracing.nested"),
    HotPath::row("tracing.unsampled"),
];

fn row(id: &str) -> Comparison {
    let row = rows::find(id).unwrap_or_else(|| panic!("there is no row `{id}`"));
    (row.prepare)()
}

impl HotPath {
    const fn new(id: &'static str, prepare: fn(&str) -> Comparison) -> Self {
        Self {
            id,
            prepare,
            run: Comparison::run_ours,
        }
    }

    const fn row(id: &'static str) -> Self {
        Self::new(id, row)
    }

    /// Returns the hot path `id`.
    pub fn find(id: &str) -> Option<Self> {
        HOT_PATHS.iter().copied().find(|path| path.id == id)
    }

    /// Runs the path through [`run_counted_path`] and returns the number of operations, or how the two sides differ.
    pub fn run(self) -> Result<u64, String> {
        /// Pools fill, buffers grow and lazy statics are initialised.
        const WARM_UP: u64 = 3;
        /// Min operations: what happens once per run, such as a flush, becomes negligible.
        const COUNTED: u64 = 4_000;
        let mut comparison = (self.prepare)(self.id);
        comparison.check()?;
        for _ in 0..WARM_UP {
            comparison.prepare();
            (self.run)(&mut comparison);
        }
        let runs = COUNTED.div_ceil(comparison.operations);
        for _ in 0..runs {
            comparison.prepare();
            run_counted_path(&mut comparison, self.run);
        }
        Ok(runs * comparison.operations)
    }
}

/// Runs one side once. Callgrind finds this function by its name and counts what its thread does within.
#[inline(never)]
pub fn run_counted_path(comparison: &mut Comparison, run: fn(&mut Comparison)) {
    run(comparison);
}

/// The pipeline's work for spans that are already encoded; the peer only copies them.
fn record_encoded_spans() -> Comparison {
    const SPANS: u64 = 2_000;
    let span = encoded_span();
    let copied = span.clone();
    let mut bytes = Vec::new();
    let sink = Sink::default();
    sink.keep_requests();
    let pipeline = pipelines::build(pipelines::pipeline(&sink, QUEUE));
    let scope = Scope::new(&InstrumentationScope::builder("http-server").build());
    Comparison::new(
        SPANS,
        move || {
            bytes.clear();
            for _ in 0..SPANS {
                bytes.extend_from_slice(&copied);
            }
            bytes.clone()
        },
        move || {
            let refused = (0..SPANS)
                .filter(|_| pipeline.record_encoded(&scope, &span).is_err())
                .count();
            let flushed = pipeline.force_flush(Duration::from_secs(60));
            (refused, flushed, sink.take_requests().unwrap_or_default())
        },
        |spans: Vec<u8>, (refused, flushed, requests)| {
            flushed.map_err(|error| error.to_string())?;
            let mut sent = Vec::new();
            for (_, span) in decode(&requests)? {
                prost::encoding::message::encode(2, &span, &mut sent);
            }
            if refused == 0 && sent == spans {
                Ok(())
            } else {
                Err(format!(
                    "{} of {} bytes were delivered; {refused} spans were refused",
                    sent.len(),
                    spans.len(),
                ))
            }
        },
    )
}

/// Returns a span of four attributes, as a field of the message that contains it.
fn encoded_span() -> Vec<u8> {
    let context = SpanContext::new(
        TraceId::from(0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c),
        SpanId::from(0xb7ad_6b71_6920_3331),
        TraceFlags::SAMPLED,
        false,
        TraceState::default(),
    );
    let start = 1_780_000_000_000_000_000;
    let mut recorder = SpanRecorder::new();
    recorder.begin(&SpanStart::new(&context, "GET /users/{id}", start));
    recorder.set(&StaticKey::new("http.request.method"), "GET");
    recorder.set(&StaticKey::new("http.route"), "/users/{id}");
    recorder.set(&StaticKey::new("http.response.status_code"), 200_i64);
    recorder.set(&StaticKey::new("cache.hit"), true);
    let mut bytes = Vec::new();
    recorder.finish(start + 250_000, &Status::Unset, &mut bytes);
    bytes
}

/// Our exporter's work for a batch of the official batch processor, on the exporting thread: in the row `sdk.exporter` that
/// thread is in the background and not counted. The peer encodes the batch as the official exporters do.
fn export_batches() -> Comparison {
    let memory = InMemoryTransport::new();
    let pipeline = Pipeline::builder()
        .with_transport(memory.clone())
        .without_worker();
    let resource = Resource::builder_empty().build();
    let official = ResourceAttributesWithSchema::from(&resource);
    let mut exporter = OtlpSpanExporter::new(pipelines::build(pipeline));
    exporter.set_resource(&resource);
    let spans = rows::batch();
    let batch = Rc::new(RefCell::new(Vec::new()));
    let (peer_batch, our_batch) = (Rc::clone(&batch), Rc::clone(&batch));
    Comparison::new(
        rows::BATCH,
        move || {
            let resource_spans = group_spans_by_resource_and_scope(peer_batch.take(), &official);
            ExportTraceServiceRequest { resource_spans }.encode_to_vec()
        },
        move || (export(&exporter, our_batch.take()), memory.take()),
        |peer: Vec<u8>, (outcome, requests): (OTelSdkResult, Vec<Vec<u8>>)| {
            outcome.map_err(|error| error.to_string())?;
            if requests == [peer] {
                Ok(())
            } else {
                Err("the two requests differ".to_owned())
            }
        },
    )
    .with_preparation(move || _ = batch.replace(spans.clone()))
}

/// Polls once: our exporter blocks in place of waiting.
fn export(exporter: &OtlpSpanExporter, batch: Vec<SpanData>) -> OTelSdkResult {
    // As the thread of the batch processor does.
    let _suppressed = opentelemetry::Context::enter_telemetry_suppressed_scope();
    let mut exported = pin!(exporter.export(batch));
    let mut context = Context::from_waker(Waker::noop());
    match exported.as_mut().poll(&mut context) {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => unreachable!("the exporter does not wait"),
    }
}

#[cfg(test)]
mod tests {
    use super::HOT_PATHS;
    use std::collections::HashSet;

    #[test]
    fn identifiers_are_unique() {
        let mut seen = HashSet::new();
        for path in HOT_PATHS {
            assert!(seen.insert(path.id), "{} appears twice", path.id);
        }
    }

    #[test]
    fn every_path_runs_and_its_outcome_is_right() {
        for path in HOT_PATHS {
            match path.run() {
                Ok(operations) => assert!(operations >= 4_000, "{}", path.id),
                Err(failure) => panic!("{}: {failure}", path.id),
            }
        }
    }
}
