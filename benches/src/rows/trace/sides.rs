//! The two pipelines that are compared, each to OTLP bytes in memory.

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use opentelemetry_proto::transform::trace::tonic::group_spans_by_resource_and_scope;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace as sdk;
use opentelemetry_sdk::{Resource, error::OTelSdkError};
use prost::Message;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use zerospan_export::{BatchConfig, ExportResponse, Pipeline, Request, SendError, Transport};

/// What a run gives: how many spans were recorded, how many arrived in all, and the requests of the first run.
#[derive(Default)]
pub(crate) struct Outcome {
    recorded: u64,
    arrived: u64,
    requests: Option<Vec<Vec<u8>>>,
    failure: Option<String>,
}

impl Outcome {
    /// How many spans were sent.
    ///
    /// # Errors
    ///
    /// Why not all of them were.
    pub(crate) fn counts(self) -> Result<u64, String> {
        match self.failure {
            Some(failure) => Err(failure),
            None if self.recorded != self.arrived => {
                Err(format!("{} recorded, {} sent", self.recorded, self.arrived))
            }
            None => Ok(self.arrived),
        }
    }

    /// Both together; of the requests, those of the earlier one.
    pub(crate) fn and(self, later: Self) -> Self {
        Self {
            recorded: self.recorded + later.recorded,
            arrived: self.arrived + later.arrived,
            requests: self.requests.or(later.requests),
            failure: self.failure.or(later.failure),
        }
    }

    /// What the requests of the first run tell, but for ids and times: each kind of span with how often it occurs.
    ///
    /// # Errors
    ///
    /// Why not all spans were sent, or what is wrong with one.
    pub(crate) fn told(mut self) -> Result<BTreeMap<String, u64>, String> {
        let requests = self.requests.take();
        self.counts()?;
        let mut kinds = BTreeMap::new();
        for_each_span(requests, |scope, span| {
            *kinds.entry(kind(scope, span)?).or_default() += 1;
            Ok(())
        })?;
        Ok(kinds)
    }

    /// The first span of the first run, as it is encoded within a request.
    ///
    /// # Errors
    ///
    /// Why there is none.
    pub(crate) fn first_span(self) -> Result<Vec<u8>, String> {
        let mut first = None;
        for_each_span(self.requests, |_, span| {
            first.get_or_insert_with(|| span.encode_to_vec());
            Ok(())
        })?;
        first.ok_or_else(|| "no span was sent".to_owned())
    }
}

/// How many spans the queue of either side takes.
pub(crate) const SPANS_IN_QUEUE: u64 = 2_048;

/// Where the bytes of either side go. It keeps the requests of the first run, and counts the spans of all.
#[derive(Clone, Debug, Default)]
struct Sink(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    spans: AtomicU64,
    kept: Mutex<Option<Vec<Vec<u8>>>>,
}

impl Sink {
    fn keeping() -> Self {
        let sink = Self::default();
        *sink.kept() = Some(Vec::new());
        sink
    }

    fn take(&self, body: &[u8], spans: u64) {
        self.0.spans.fetch_add(spans, Ordering::Relaxed);
        if let Some(kept) = &mut *self.kept() {
            kept.push(body.to_vec());
        }
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Option<Vec<Vec<u8>>>> {
        self.0.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn outcome(&self, recorded: u64, flushed: Result<(), String>) -> Outcome {
        Outcome {
            recorded,
            arrived: self.0.spans.swap(0, Ordering::Relaxed),
            requests: self.kept().take(),
            failure: flushed.err(),
        }
    }
}

/// The stock SDK with its batch processor, and an exporter that does what the official ones do up to the bytes: the
/// official transform, then prost.
pub(crate) struct Peer {
    provider: sdk::SdkTracerProvider,
    tracer: sdk::SdkTracer,
    sink: Sink,
}

impl Peer {
    pub(crate) fn new() -> Self {
        Self::with_queue(SPANS_IN_QUEUE)
    }

    pub(crate) fn with_queue(spans: u64) -> Self {
        let sink = Sink::keeping();
        let exporter = Exporter {
            sink: sink.clone(),
            resource: ResourceAttributesWithSchema::default(),
        };
        let batch = sdk::BatchConfigBuilder::default()
            .with_max_queue_size(spans as usize)
            .build();
        let processor = sdk::BatchSpanProcessor::builder(exporter)
            .with_batch_config(batch)
            .build();
        let provider = sdk::SdkTracerProvider::builder()
            .with_resource(resource())
            .with_span_processor(processor)
            .build();
        Self {
            tracer: provider.tracer("http-server"),
            provider,
            sink,
        }
    }

    pub(crate) fn tracer(&self) -> &sdk::SdkTracer {
        &self.tracer
    }

    pub(crate) fn run(&mut self, work: impl FnOnce(&sdk::SdkTracer) -> u64) -> Outcome {
        let recorded = work(&self.tracer);
        let flushed = self
            .provider
            .force_flush()
            .map_err(|error| error.to_string());
        self.sink.outcome(recorded, flushed)
    }
}

#[derive(Debug)]
struct Exporter {
    sink: Sink,
    resource: ResourceAttributesWithSchema,
}

impl sdk::SpanExporter for Exporter {
    async fn export(&self, batch: Vec<sdk::SpanData>) -> OTelSdkResult {
        let spans = batch.len() as u64;
        let resource_spans = group_spans_by_resource_and_scope(batch, &self.resource);
        let request = ExportTraceServiceRequest { resource_spans };
        let mut body = Vec::with_capacity(request.encoded_len());
        request
            .encode(&mut body)
            .map_err(|error| OTelSdkError::InternalFailure(error.to_string()))?;
        self.sink.take(&body, spans);
        Ok(())
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.resource = resource.into();
    }
}

/// Our provider and pipeline.
pub(crate) struct Ours {
    provider: zerospan_trace::TracerProvider,
    tracer: zerospan_trace::Tracer,
    sink: Sink,
}

impl Ours {
    /// # Panics
    ///
    /// If the pipeline's default settings do not fit one another.
    pub(crate) fn new() -> Self {
        Self::with_queue(SPANS_IN_QUEUE)
    }

    /// # Panics
    ///
    /// If the pipeline's other settings do not fit the queue.
    pub(crate) fn with_queue(spans: u64) -> Self {
        let sink = Sink::keeping();
        let transport = sink.clone();
        let mut batch = BatchConfig::default();
        batch.max_queue_size = spans as usize;
        let pipeline = Pipeline::builder()
            .with_batch(batch)
            .with_transport(move || Ok::<_, SendError>(transport.clone()))
            .build()
            .unwrap_or_else(|error| panic!("{error}"));
        let provider = zerospan_trace::TracerProvider::builder()
            .with_resource(resource())
            .with_exporter(pipeline)
            .build();
        Self {
            tracer: provider.tracer("http-server"),
            provider,
            sink,
        }
    }

    /// The same provider, for another thread.
    pub(crate) fn another(&self) -> Self {
        Self {
            provider: self.provider.clone(),
            tracer: self.tracer.clone(),
            sink: self.sink.clone(),
        }
    }

    pub(crate) fn tracer(&self) -> &zerospan_trace::Tracer {
        &self.tracer
    }

    /// Flushes, and says how many spans arrived since this was last asked.
    ///
    /// # Errors
    ///
    /// Why not at least the `recorded` ones are delivered.
    pub(crate) fn flushed(&mut self, recorded: u64) -> Result<u64, String> {
        self.provider
            .force_flush()
            .map_err(|error| error.to_string())?;
        if recorded == 0 {
            return Err("nothing was recorded".to_owned());
        }
        Ok(self.sink.0.spans.swap(0, Ordering::Relaxed))
    }

    pub(crate) fn run(&mut self, work: impl FnOnce(&zerospan_trace::Tracer) -> u64) -> Outcome {
        let recorded = work(&self.tracer);
        let flushed = self
            .provider
            .force_flush()
            .map_err(|error| error.to_string());
        self.sink.outcome(recorded, flushed)
    }
}

impl Transport for Sink {
    fn send(&mut self, request: &Request<'_>) -> Result<ExportResponse, SendError> {
        self.take(request.body, request.items as u64);
        Ok(ExportResponse::ALL)
    }
}

fn resource() -> Resource {
    Resource::builder_empty().with_service_name("shop").build()
}

/// Says whether both sides sent `spans` spans, and the same but for ids and times.
pub(crate) fn agree(spans: u64) -> impl FnMut(Outcome, Outcome) -> Result<(), String> {
    move |peer, ours| {
        for (side, outcome) in [("the peer", &peer), ("ours", &ours)] {
            if let Some(failure) = &outcome.failure {
                return Err(format!("{side} did not flush: {failure}"));
            }
            if (outcome.recorded, outcome.arrived) != (spans, spans) {
                let Outcome {
                    recorded, arrived, ..
                } = outcome;
                return Err(format!(
                    "{side} recorded {recorded} and sent {arrived} of {spans} spans"
                ));
            }
        }
        let (peer, ours) = (peer.told()?, ours.told()?);
        if peer == ours {
            Ok(())
        } else {
            Err(format!("the peer sends {peer:#?}, ours {ours:#?}"))
        }
    }
}

fn for_each_span(
    requests: Option<Vec<Vec<u8>>>,
    mut each: impl FnMut(&str, Span) -> Result<(), String>,
) -> Result<(), String> {
    for body in requests.ok_or("the first run's requests were not kept")? {
        let request =
            ExportTraceServiceRequest::decode(&*body).map_err(|error| error.to_string())?;
        for resource_spans in request.resource_spans {
            for scope_spans in resource_spans.scope_spans {
                let scope = format!("{:?}", scope_spans.scope);
                for span in scope_spans.spans {
                    each(&scope, span)?;
                }
            }
        }
    }
    Ok(())
}

fn kind(scope: &str, mut span: Span) -> Result<String, String> {
    let whole = span.trace_id.len() == 16
        && span.span_id.len() == 8
        && span.trace_id != [0; 16]
        && span.span_id != [0; 8]
        && span.start_time_unix_nano <= span.end_time_unix_nano;
    if !whole {
        return Err(format!("a span is not whole: {span:?}"));
    }
    let is_root = span.parent_span_id.is_empty();
    span.trace_id.clear();
    span.span_id.clear();
    span.parent_span_id.clear();
    span.start_time_unix_nano = 0;
    span.end_time_unix_nano = 0;
    Ok(format!("{scope} {is_root} {span:?}"))
}
