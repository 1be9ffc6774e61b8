//! The in-memory end of every pipeline, and what is decoded there.

mod logs;

pub use logs::{count_log_kinds, decode_logs};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::resource::v1::Resource as OtlpResource;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use opentelemetry_proto::transform::trace::tonic::group_spans_by_resource_and_scope;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use prost::Message;
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use zerospan_export::{Body, ExportResponse, Request, SendError, Transport};

/// Counts the items and bytes that it receives, and keeps requests on demand.
#[derive(Clone, Debug, Default)]
pub struct Sink(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    items: AtomicU64,
    bytes: AtomicU64,
    kept: Mutex<Option<Vec<Vec<u8>>>>,
}

impl Sink {
    /// Receives a request of `items` spans or log records.
    pub fn receive<'a>(&self, body: impl Into<Body<'a>>, items: u64) {
        let body = body.into();
        self.0.items.fetch_add(items, Ordering::Relaxed);
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

    /// Returns the items and bytes received since the last call.
    pub fn take_counts(&self) -> (u64, u64) {
        let take = |count: &AtomicU64| count.swap(0, Ordering::Relaxed);
        (take(&self.0.items), take(&self.0.bytes))
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
        self.sink.receive(&request.encode_to_vec(), spans);
        Ok(())
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.resource = resource.into();
    }
}

/// Returns the spans of `requests`, each with a description of its resource and scope.
pub fn decode(requests: &[Vec<u8>]) -> Result<Vec<(String, Span)>, String> {
    let mut spans = Vec::new();
    for body in requests {
        let request =
            ExportTraceServiceRequest::decode(&**body).map_err(|error| error.to_string())?;
        for of_resource in request.resource_spans {
            let resource = of_resource.resource.map(without_own_name);
            for of_scope in of_resource.scope_spans {
                let origin = format!("{resource:?} {:?}", of_scope.scope);
                let with_origin = |span| (origin.clone(), span);
                spans.extend(of_scope.spans.into_iter().map(with_origin));
            }
        }
    }
    Ok(spans)
}

/// Removes the name that our providers add.
fn without_own_name(mut resource: OtlpResource) -> OtlpResource {
    let attributes = &mut resource.attributes;
    attributes.retain(|attribute| !attribute.key.starts_with("telemetry.sdk."));
    resource
}

/// Descriptions of spans or log records, with their numbers.
pub type Kinds = BTreeMap<String, u64>;

/// Counts the spans of `requests` by what they say apart from ids and times, which differ from run to run. `normalize`
/// removes further differences. A span without ids, times or its parent is an error.
pub fn count_kinds(requests: &[Vec<u8>], normalize: impl Fn(&mut Span)) -> Result<Kinds, String> {
    let spans = decode(requests)?;
    let key = |trace_id: &[u8], span_id: &[u8]| [trace_id, span_id].concat();
    let names: HashMap<Vec<u8>, String> = spans
        .iter()
        .map(|(_, span)| (key(&span.trace_id, &span.span_id), span.name.clone()))
        .collect();
    let mut kinds = Kinds::new();
    for (origin, mut span) in spans {
        let is_root = span.parent_span_id.iter().all(|byte| *byte == 0);
        let parent = names.get(&key(&span.trace_id, &span.parent_span_id));
        if !is_complete(&span) || (!is_root && parent.is_none()) {
            return Err(format!("a span lacks ids, times or its parent: {span:?}"));
        }
        for event in &mut span.events {
            let within = span.start_time_unix_nano..=span.end_time_unix_nano;
            if !within.contains(&event.time_unix_nano) {
                return Err(format!("an event is outside its span: {event:?}"));
            }
            event.time_unix_nano = 0;
        }
        span.trace_id.clear();
        span.span_id.clear();
        span.parent_span_id.clear();
        span.start_time_unix_nano = 0;
        span.end_time_unix_nano = 0;
        normalize(&mut span);
        let kind = format!("{origin} child of {parent:?}: {span:?}");
        *kinds.entry(kind).or_default() += 1;
    }
    Ok(kinds)
}

fn is_complete(span: &Span) -> bool {
    let is_id = |id: &[u8], length| id.len() == length && id.iter().any(|byte| *byte != 0);
    is_id(&span.trace_id, 16)
        && is_id(&span.span_id, 8)
        && span.start_time_unix_nano > 0
        && span.start_time_unix_nano <= span.end_time_unix_nano
}

#[cfg(test)]
mod tests {
    use super::*;
    use opentelemetry_proto::tonic::trace::v1::span::Event;
    use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans};

    #[test]
    fn a_span_without_its_parent_and_an_event_outside_its_span_are_refused() {
        let span = || Span {
            trace_id: vec![1; 16],
            span_id: vec![2; 8],
            start_time_unix_nano: 10,
            end_time_unix_nano: 20,
            ..Span::default()
        };
        let count = |spans| {
            let scope_spans = vec![ScopeSpans {
                spans,
                ..ScopeSpans::default()
            }];
            let resource_spans = vec![ResourceSpans {
                scope_spans,
                ..ResourceSpans::default()
            }];
            let request = ExportTraceServiceRequest { resource_spans };
            count_kinds(&[request.encode_to_vec()], |_| ()).map(|kinds| kinds.values().sum())
        };
        let child = |parent| Span {
            span_id: vec![3; 8],
            parent_span_id: vec![parent; 8],
            ..span()
        };
        let with_event = |time_unix_nano| Span {
            events: vec![Event {
                time_unix_nano,
                ..Event::default()
            }],
            ..span()
        };
        assert_eq!(count(vec![span(), child(2)]), Ok(2));
        assert!(count(vec![span(), child(4)]).is_err());
        assert_eq!(count(vec![with_event(20)]), Ok(1));
        assert!(count(vec![with_event(21)]).is_err());
    }
}
