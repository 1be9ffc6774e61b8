//! The in-memory end of every pipeline, and what is decoded there.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use opentelemetry_proto::transform::trace::tonic::group_spans_by_resource_and_scope;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use prost::Message;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use zerospan_export::{ExportResponse, Request, SendError, Transport};

/// Counts the spans and bytes that it receives, and keeps requests on demand.
#[derive(Clone, Debug, Default)]
pub struct Sink(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    spans: AtomicU64,
    bytes: AtomicU64,
    kept: Mutex<Option<Vec<Vec<u8>>>>,
}

impl Sink {
    /// Receives a request of `spans` spans.
    pub fn receive(&self, body: &[u8], spans: u64) {
        self.0.spans.fetch_add(spans, Ordering::Relaxed);
        self.0.bytes.fetch_add(body.len() as u64, Ordering::Relaxed);
        if let Some(kept) = &mut *self.kept() {
            kept.push(body.to_vec());
        }
    }

    /// Keeps requests until [`take_requests`](Self::take_requests).
    pub fn keep_requests(&self) {
        *self.kept() = Some(Vec::new());
    }

    /// Returns the kept requests; `None` if none were to be kept.
    pub fn take_requests(&self) -> Option<Vec<Vec<u8>>> {
        self.kept().take()
    }

    /// Returns the spans and bytes received since the last call.
    pub fn take_counts(&self) -> (u64, u64) {
        let take = |count: &AtomicU64| count.swap(0, Ordering::Relaxed);
        (take(&self.0.spans), take(&self.0.bytes))
    }

    fn kept(&self) -> MutexGuard<'_, Option<Vec<Vec<u8>>>> {
        self.0.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Transport for Sink {
    fn send(&mut self, request: &Request<'_>) -> Result<ExportResponse, SendError> {
        self.receive(request.body, request.items as u64);
        Ok(ExportResponse::ALL)
    }
}

/// Does what the official exporters do before they send: the official transform, then prost.
#[derive(Debug)]
pub struct OfficialExporter {
    sink: Sink,
    resource: ResourceAttributesWithSchema,
}

impl OfficialExporter {
    /// Exports into `sink`.
    pub fn new(sink: &Sink) -> Self {
        Self {
            sink: sink.clone(),
            resource: ResourceAttributesWithSchema::default(),
        }
    }
}

impl SpanExporter for OfficialExporter {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len() as u64;
        let resource_spans = group_spans_by_resource_and_scope(batch, &self.resource);
        let request = ExportTraceServiceRequest { resource_spans };
        self.sink.receive(&encode(&request), spans);
        Ok(())
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.resource = resource.into();
    }
}

/// Encodes a request with prost.
pub fn encode(request: &ExportTraceServiceRequest) -> Vec<u8> {
    request.encode_to_vec()
}

/// Calls `each` with every span of `requests` and a description of its resource and scope.
///
/// # Errors
///
/// Returns an error if a request cannot be decoded, or the first error of `each`.
pub fn for_each_span(
    requests: &[Vec<u8>],
    mut each: impl FnMut(&str, Span) -> Result<(), String>,
) -> Result<(), String> {
    for body in requests {
        let request =
            ExportTraceServiceRequest::decode(&**body).map_err(|error| error.to_string())?;
        for mut of_resource in request.resource_spans {
            if let Some(resource) = &mut of_resource.resource {
                // The official transform lists them in the order of a hash map; our provider names itself.
                resource
                    .attributes
                    .retain(|attribute| !attribute.key.starts_with("telemetry.sdk."));
                resource.attributes.sort_by(|a, b| a.key.cmp(&b.key));
            }
            for of_scope in of_resource.scope_spans {
                let origin = format!("{:?} {:?}", of_resource.resource, of_scope.scope);
                for span in of_scope.spans {
                    each(&origin, span)?;
                }
            }
        }
    }
    Ok(())
}

/// Counts the spans of `requests` by what they say apart from ids and times, which differ from run to run.
///
/// # Errors
///
/// Returns an error if a request cannot be decoded, or a span lacks an id or a time.
pub fn count_kinds(requests: &[Vec<u8>]) -> Result<BTreeMap<String, u64>, String> {
    let mut kinds = BTreeMap::new();
    for_each_span(requests, |origin, mut span| {
        if !is_complete(&span) {
            return Err(format!("a span is incomplete: {span:?}"));
        }
        let is_root = span.parent_span_id.is_empty();
        span.trace_id.clear();
        span.span_id.clear();
        span.parent_span_id.clear();
        span.start_time_unix_nano = 0;
        span.end_time_unix_nano = 0;
        *kinds
            .entry(format!("{origin} {is_root} {span:?}"))
            .or_default() += 1;
        Ok(())
    })?;
    Ok(kinds)
}

/// Returns `true` if the span has ids and times.
pub fn is_complete(span: &Span) -> bool {
    let is_id = |id: &[u8], length| id.len() == length && id.iter().any(|byte| *byte != 0);
    is_id(&span.trace_id, 16)
        && is_id(&span.span_id, 8)
        && span.start_time_unix_nano > 0
        && span.start_time_unix_nano <= span.end_time_unix_nano
}
