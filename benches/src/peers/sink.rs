//! Where the bytes of every peer go, and what they must say.

use super::{CHILD, CHILDREN, KEYS, NUMBER, ROOT, TEXT, Work};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use opentelemetry_proto::transform::trace::tonic::group_spans_by_resource_and_scope;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use prost::Message;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use zerospan_export::{Accepted, Request, SendError, Transport};

/// Counts what is sent, and keeps it while it is told to.
#[derive(Clone, Debug, Default)]
pub(super) struct Sink(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    spans: AtomicU64,
    bytes: AtomicU64,
    kept: Mutex<Option<Vec<Vec<u8>>>>,
}

/// Whether a peer knows kinds of values, or makes text of all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Values {
    Typed,
    Text,
}

/// Each kind of span with how often it occurs.
type Kinds = BTreeMap<String, u64>;

impl Sink {
    /// Keeps what is sent, up to the next [`decode`](Self::decode).
    pub(super) fn keep(&self) {
        *self.kept() = Some(Vec::new());
    }

    /// Spans and bytes since the last time.
    pub(super) fn clear(&self) -> (u64, u64) {
        let take = |count: &AtomicU64| count.swap(0, Ordering::Relaxed);
        (take(&self.0.spans), take(&self.0.bytes))
    }

    /// What was kept.
    ///
    /// # Errors
    ///
    /// If it is no request, a span's parent did not arrive, or nothing was kept.
    pub(super) fn decode(&self, values: Values) -> Result<Kinds, String> {
        let requests = self.kept().take().ok_or("nothing was kept")?;
        let mut spans = Vec::new();
        for body in requests {
            let request =
                ExportTraceServiceRequest::decode(&*body).map_err(|error| error.to_string())?;
            let scopes = request.resource_spans.into_iter();
            for scope in scopes.flat_map(|resource| resource.scope_spans) {
                spans.extend(scope.spans);
            }
        }
        let roots: BTreeMap<Vec<u8>, Vec<u8>> = spans
            .iter()
            .filter(|span| is_root(span))
            .map(|span| (span.span_id.clone(), span.trace_id.clone()))
            .collect();
        let mut kinds = Kinds::new();
        for span in &spans {
            if !is_root(span) && roots.get(&span.parent_span_id) != Some(&span.trace_id) {
                return Err(format!("the parent of a span did not arrive: {span:?}"));
            }
            *kinds.entry(kind(span, values)?).or_default() += 1;
        }
        Ok(kinds)
    }

    fn take(&self, body: &[u8], spans: u64) {
        self.0.spans.fetch_add(spans, Ordering::Relaxed);
        self.0.bytes.fetch_add(body.len() as u64, Ordering::Relaxed);
        if let Some(kept) = &mut *self.kept() {
            kept.push(body.to_vec());
        }
    }

    fn kept(&self) -> MutexGuard<'_, Option<Vec<Vec<u8>>>> {
        self.0.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What must arrive of one run.
pub(super) fn expected(work: Work, values: Values) -> Kinds {
    let attributes: Vec<_> = (0..work.attributes())
        .map(|index| {
            let value = match (index % 2, values) {
                (0, _) => Value::StringValue(TEXT.to_owned()),
                (_, Values::Typed) => Value::IntValue(NUMBER),
                (_, Values::Text) => Value::StringValue(NUMBER.to_string()),
            };
            (KEYS[index].to_owned(), value)
        })
        .collect();
    let told = |name, root| told(name, root, &attributes);
    match work {
        Work::Unsampled => Kinds::new(),
        Work::Tree => [
            (told(ROOT, true), work.times()),
            (told(CHILD, false), work.times() * CHILDREN),
        ]
        .into(),
        _ => [(told(ROOT, true), work.times())].into(),
    }
}

fn is_root(span: &Span) -> bool {
    span.parent_span_id.iter().all(|byte| *byte == 0)
}

fn kind(span: &Span, values: Values) -> Result<String, String> {
    let whole = span.trace_id.len() == 16
        && span.span_id.len() == 8
        && span.start_time_unix_nano > 0
        && span.start_time_unix_nano <= span.end_time_unix_nano
        && span.dropped_attributes_count == 0;
    if !whole {
        return Err(format!("a span is not whole: {span:?}"));
    }
    let mut attributes = Vec::new();
    for attribute in &span.attributes {
        let value = attribute
            .value
            .as_ref()
            .and_then(|value| value.value.clone());
        let value = value.ok_or_else(|| format!("an attribute has no value: {attribute:?}"))?;
        let is_text = matches!(value, Value::StringValue(_));
        if values == Values::Text && !is_text {
            return Err(format!("a value is no text: {attribute:?}"));
        }
        attributes.push((attribute.key.clone(), value));
    }
    attributes.sort_by(|one, other| one.0.cmp(&other.0));
    Ok(told(&span.name, is_root(span), &attributes))
}

fn told(name: &str, root: bool, attributes: &[(String, Value)]) -> String {
    format!("{name}, root: {root}, {attributes:?}")
}

/// What the official exporters do up to the bytes: the official transform, then prost.
#[derive(Debug)]
pub(super) struct Exporter {
    sink: Sink,
    resource: ResourceAttributesWithSchema,
}

impl Exporter {
    pub(super) fn new(sink: &Sink) -> Self {
        Self {
            sink: sink.clone(),
            resource: ResourceAttributesWithSchema::default(),
        }
    }
}

impl SpanExporter for Exporter {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
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

impl Transport for Sink {
    fn send(&mut self, request: &Request<'_>) -> Result<Accepted, SendError> {
        self.take(request.body, request.spans as u64);
        Ok(Accepted::ALL)
    }
}

/// Everyone's resource.
pub(super) fn resource() -> Resource {
    Resource::builder_empty().with_service_name("shop").build()
}

/// Everyone's scope.
pub(super) const SCOPE: &str = "http-server";
