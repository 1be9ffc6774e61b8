//! What the drop-ins save under the stock SDK, on all threads, from the start of a span to bytes that could be sent.
//!
//! Both sides build each span through the stock SDK's own tracer, on one thread, with 8 attributes and a name that are
//! constants, and hand whole encoded requests to a sink in memory. The peer's side is the SDK's batch processor, the
//! official transform and prost's encoder: what `opentelemetry-otlp` does, less the sending.
//!
//! All threads share one core. On two, an exporter that does nothing makes the stock batch processor take two to four times
//! as long, by where the threads are put: `docs/benchmarks.md` has the figures.
//!
//! In `sdk.processor` the caller's vector of attributes is recycled on our side and allocated on the peer's, as each comes
//! with the drop-in or without it. With texts that are constant, the SDK itself then allocates nothing, so whatever our side
//! allocates is ours: that is how the two are told apart. In `sdk.builders` no side recycles: 1 allocation a span is the
//! caller's vector, on both.

use super::server::attributes;
use crate::contest::Clock;
use crate::{Budget, Contest, Row};
use opentelemetry::trace::{Span, SpanBuilder, SpanKind, Tracer, TracerProvider};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use opentelemetry_proto::transform::trace::tonic::group_spans_by_resource_and_scope;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, SdkTracer, SdkTracerProvider, SpanData, SpanExporter,
    TracerProviderBuilder,
};
use prost::Message;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use zerospan_export::{
    BatchConfig, ExportResponse, Pipeline, PipelineBuilder, Request, SendError, Transport,
};
use zerospan_sdk::{OtlpSpanExporter, OtlpSpanProcessor, RecycledBuilder};

/// The rows of this area.
pub(super) const ROWS: &[Row] = &[
    Row {
        id: "sdk.processor",
        peer: "stock SDK, batch processor, official transform, prost",
        ours: "stock SDK, our processor, recycled attribute vectors",
        budget: Budget::AtLeast(4.0),
        allocations: Some(0.0),
        prepare: || contest(our_processor, recycled),
    },
    Row {
        id: "sdk.builders",
        peer: "stock SDK, batch processor, official transform, prost",
        ours: "stock SDK, our processor, the caller's own vectors",
        budget: Budget::AtLeast(3.0),
        allocations: Some(1.01),
        prepare: || contest(our_processor, allocated),
    },
    Row {
        id: "sdk.exporter",
        peer: "stock SDK, batch processor, official transform, prost",
        ours: "stock SDK, batch processor, our exporter",
        budget: Budget::AtLeast(2.5),
        allocations: None,
        prepare: || contest(|| stock_processor(Ours), allocated),
    },
];

/// Spans in one run: four of the batches that both sides cut.
const SPANS: u64 = 2048;

/// Where requests end: the last ones of a run, in memory that is kept.
#[derive(Clone, Debug, Default)]
struct Sink(Arc<Mutex<Requests>>);

#[derive(Debug, Default)]
struct Requests {
    bytes: Vec<u8>,
    /// Where each request ends.
    ends: Vec<usize>,
}

impl Sink {
    fn put(&self, request: &[u8]) {
        let mut requests = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        requests.bytes.extend_from_slice(request);
        let end = requests.bytes.len();
        requests.ends.push(end);
    }

    fn clear(&self) {
        let mut requests = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        requests.bytes.clear();
        requests.ends.clear();
    }

    /// How often each span arrived, whatever its ids and times: these are random and of the moment.
    fn decode(&self) -> Result<BTreeMap<String, u64>, String> {
        let requests = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut spans = BTreeMap::new();
        let mut start = 0;
        for &end in &requests.ends {
            let request = ExportTraceServiceRequest::decode(&requests.bytes[start..end])
                .map_err(|error| error.to_string())?;
            start = end;
            for mut resource in request.resource_spans {
                if let Some(resource) = &mut resource.resource {
                    // The official transform goes through a map.
                    resource
                        .attributes
                        .sort_by(|one, other| one.key.cmp(&other.key));
                }
                let about = format!("{:?} {}", resource.resource, resource.schema_url);
                for scope in resource.scope_spans {
                    for mut span in scope.spans {
                        span.trace_id.clear();
                        span.span_id.clear();
                        if span.start_time_unix_nano == 0
                            || span.start_time_unix_nano > span.end_time_unix_nano
                        {
                            return Err(format!("times are wrong: {span:?}"));
                        }
                        span.start_time_unix_nano = 0;
                        span.end_time_unix_nano = 0;
                        let text =
                            format!("{about} {:?} {} {span:?}", scope.scope, scope.schema_url);
                        *spans.entry(text).or_default() += 1;
                    }
                }
            }
        }
        Ok(spans)
    }
}

/// The stock way from spans to bytes.
#[derive(Debug)]
struct ProstExporter {
    sink: Sink,
    resource: ResourceAttributesWithSchema,
}

impl SpanExporter for ProstExporter {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let request = ExportTraceServiceRequest {
            resource_spans: group_spans_by_resource_and_scope(batch, &self.resource),
        };
        self.sink.put(&request.encode_to_vec());
        Ok(())
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.resource = ResourceAttributesWithSchema::from(resource);
    }
}

impl Transport for Sink {
    fn send(&mut self, request: &Request<'_>) -> Result<ExportResponse, SendError> {
        self.put(request.body);
        Ok(ExportResponse::ALL)
    }
}

/// A provider and where its requests end.
struct Side {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
    sink: Sink,
    /// Flushed in place of the provider, which allocates to gather what its processors say.
    pipeline: Option<Pipeline>,
}

impl Side {
    fn new(sink: Sink, builder: TracerProviderBuilder) -> Self {
        let resource = Resource::builder_empty()
            .with_attributes([
                KeyValue::new("service.name", "shop"),
                KeyValue::new("service.version", "1.4.0"),
                KeyValue::new("host.name", "node-17"),
            ])
            .build();
        let provider = builder.with_resource(resource).build();
        let tracer = provider.tracer_with_scope(
            InstrumentationScope::builder("http-server")
                .with_version("1.4.0")
                .build(),
        );
        Self {
            provider,
            tracer,
            sink,
            pipeline: None,
        }
    }

    /// Builds the spans and waits until all of them are bytes.
    fn run(&self, fill: fn(SpanBuilder) -> SpanBuilder) -> OTelSdkResult {
        self.sink.clear();
        for _ in 0..SPANS {
            let builder = self
                .tracer
                .span_builder("GET /users/{id}")
                .with_kind(SpanKind::Server);
            fill(builder).start(&self.tracer).end();
        }
        match &self.pipeline {
            Some(pipeline) => pipeline
                .force_flush(Duration::from_secs(30))
                .map_err(|error| OTelSdkError::InternalFailure(error.to_string())),
            None => self.provider.force_flush(),
        }
    }
}

fn pipeline(sink: &Sink) -> PipelineBuilder {
    let sink = sink.clone();
    let mut batch = BatchConfig::default();
    batch.max_queue_size = 2 * SPANS as usize;
    Pipeline::builder()
        .with_transport(move || Ok(sink.clone()))
        .with_batch(batch)
}

fn built(pipeline: PipelineBuilder) -> Pipeline {
    // Of constants that fit one another.
    pipeline.build().unwrap_or_else(|error| panic!("{error}"))
}

fn our_processor() -> Side {
    let sink = Sink::default();
    let pipeline = built(pipeline(&sink));
    let processor = OtlpSpanProcessor::new(pipeline.clone());
    let builder = SdkTracerProvider::builder().with_span_processor(processor);
    Side {
        pipeline: Some(pipeline),
        ..Side::new(sink, builder)
    }
}

/// Which exporter stands under the stock batch processor.
enum Exporter {
    Stock,
    Ours,
}
use Exporter::{Ours, Stock};

fn stock_processor(exporter: Exporter) -> Side {
    let sink = Sink::default();
    let batch = BatchConfigBuilder::default()
        .with_max_queue_size(2 * SPANS as usize)
        .with_scheduled_delay(Duration::from_secs(5))
        .build();
    let processor = match exporter {
        Stock => BatchSpanProcessor::builder(ProstExporter {
            sink: sink.clone(),
            resource: ResourceAttributesWithSchema::default(),
        })
        .with_batch_config(batch)
        .build(),
        Ours => BatchSpanProcessor::builder(OtlpSpanExporter::new(built(
            pipeline(&sink).without_worker(),
        )))
        .with_batch_config(batch)
        .build(),
    };
    Side::new(
        sink,
        SdkTracerProvider::builder().with_span_processor(processor),
    )
}

fn allocated(builder: SpanBuilder) -> SpanBuilder {
    builder.with_attributes(attributes())
}

fn recycled(builder: SpanBuilder) -> SpanBuilder {
    builder.with_recycled_attributes(attributes())
}

fn contest(ours: fn() -> Side, fill: fn(SpanBuilder) -> SpanBuilder) -> Contest {
    Contest::on_one_core(|| between(stock_processor(Stock), ours(), fill))
}

fn between(peer: Side, ours: Side, fill: fn(SpanBuilder) -> SpanBuilder) -> Contest {
    let (peer_sink, our_sink) = (peer.sink.clone(), ours.sink.clone());
    Contest::new(
        SPANS,
        move || peer.run(allocated),
        move || ours.run(fill),
        move |peer: OTelSdkResult, ours: OTelSdkResult| {
            peer.and(ours).map_err(|error| error.to_string())?;
            let (peer, ours) = (peer_sink.decode()?, our_sink.decode()?);
            if peer.values().sum::<u64>() == SPANS && peer == ours {
                Ok(())
            } else {
                Err(format!("the peer's requests hold {peer:?}, ours {ours:?}"))
            }
        },
    )
    .with_clock(Clock::Process)
}
