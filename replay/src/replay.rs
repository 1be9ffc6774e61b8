use crate::{OtlpSpan, ReplayError, Span, Value, check, read_requests, to_otlp};
use opentelemetry::trace::{
    Span as _, SpanContext, SpanId, Status, TraceFlags, TraceId, TraceState, TracerProvider as _,
};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::IdGenerator;
use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use zerospan_export::{ExportStats, FileTransport, InMemoryTransport, OtlpConfig, Pipeline};
use zerospan_trace::{Sampler, Tracer, TracerProvider};

/// The destination of spans.
#[derive(Clone, Debug)]
pub enum Destination {
    /// To a collector.
    Otlp(Box<OtlpConfig>),
    /// Appends to a file: each request after its length.
    File(PathBuf),
}

/// The outcome of replaying a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Spans in the file.
    pub spans: u64,
    /// Of these, spans that every destination took.
    pub delivered: u64,
    /// Of these, spans that a destination did not take.
    pub dropped: u64,
    /// Annotations, now events.
    pub events: u64,
    /// Attributes of the spans.
    pub attributes: u64,
    /// Spans that have their id in common with another span of the same trace.
    pub shared: u64,
}

/// Spans that are sent at a time: fewer than the queue of a pipeline holds, so that none is dropped for want of room.
const AT_A_TIME: usize = 1024;

/// Longer than a collector is waited for, retries included.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Emits every span through the tracer and delivers it to every destination; one provider for each service.
///
/// All that was encoded is read back and compared with `spans`.
///
/// The counts are those up to the first failure, if there is one.
pub fn replay(spans: &[Span], destinations: &[Destination]) -> (Counts, Result<(), ReplayError>) {
    let mut counts = Counts {
        spans: spans.len() as u64,
        ..Counts::default()
    };
    let outcome =
        convert(spans).and_then(|given| replay_counted(&given, destinations, &mut counts));
    counts.dropped = counts.spans - counts.delivered;
    (counts, outcome)
}

/// Like [`replay`], for spans of any format.
pub fn replay_spans(
    spans: &[OtlpSpan],
    destinations: &[Destination],
) -> (Counts, Result<(), ReplayError>) {
    let mut counts = Counts {
        spans: spans.len() as u64,
        ..Counts::default()
    };
    let outcome = replay_counted(spans, destinations, &mut counts);
    counts.dropped = counts.spans - counts.delivered;
    (counts, outcome)
}

fn convert(spans: &[Span]) -> Result<Vec<OtlpSpan>, ReplayError> {
    let convert = |span: &Span| {
        to_otlp(span).map_err(|message| ReplayError::Differs {
            span: format!("{:032x}/{:016x}", span.trace_id, span.id),
            field: "a field",
            given: message,
            sent: "nothing".to_owned(),
        })
    };
    spans.iter().map(convert).collect()
}

fn replay_counted(
    given: &[OtlpSpan],
    destinations: &[Destination],
    counts: &mut Counts,
) -> Result<(), ReplayError> {
    counts.events = given.iter().map(|span| span.events.len() as u64).sum();
    counts.attributes = given.iter().map(|span| span.attributes.len() as u64).sum();
    let mut bearers = BTreeMap::new();
    for span in given {
        *bearers.entry((span.trace_id, span.span_id)).or_insert(0) += 1;
    }
    counts.shared = bearers.values().filter(|&&bearers| bearers > 1).sum();

    let mut by_service: BTreeMap<(&str, &Resources), Vec<&OtlpSpan>> = BTreeMap::new();
    for span in given {
        let resource = (&*span.service, &span.resource);
        by_service.entry(resource).or_default().push(span);
    }
    let proof = InMemoryTransport::new();
    for ((service, resource), spans) in by_service {
        let stats = replay_service(service, resource, &spans, destinations, &proof)?;
        let worst = stats.iter().min_by_key(|stats| stats.delivered);
        counts.delivered += worst.map_or(0, |stats| stats.delivered);
        if let Some(lost) = stats
            .iter()
            .find(|stats| stats.delivered < spans.len() as u64)
        {
            // The next service's spans would wait as long for the same collector.
            return Err(ReplayError::Lost {
                service: service.to_owned(),
                spans: spans.len() as u64,
                delivered: lost.delivered,
                causes: causes(lost),
            });
        }
    }
    let requests = proof.take();
    check(given, &read_requests(requests.iter().map(Vec::as_slice))?)
}

fn causes(stats: &ExportStats) -> String {
    let mut causes: Vec<String> = stats
        .dropped
        .iter()
        .map(|(cause, spans)| format!("{spans}: {cause}"))
        .collect();
    if stats.rejected > 0 {
        causes.push(format!("{}: rejected by the collector", stats.rejected));
    }
    causes.join("; ")
}

/// The counts of each destination, in order; of the proof alone if there is none.
fn replay_service(
    service: &str,
    resource: &Resources,
    spans: &[&OtlpSpan],
    destinations: &[Destination],
    proof: &InMemoryTransport,
) -> Result<Vec<ExportStats>, ReplayError> {
    let mut pipelines = vec![Pipeline::builder().with_transport(proof.clone()).build()?];
    for destination in destinations {
        let builder = match destination {
            Destination::Otlp(config) => Pipeline::builder().with_otlp(config.as_ref().clone()),
            Destination::File(path) => {
                Pipeline::builder().with_transport(FileTransport::new(path)?)
            }
        };
        pipelines.push(builder.build()?);
    }
    let ids = FileIds::default();
    let mut builder = TracerProvider::builder()
        // The file decides, not the environment's samplers, limits and resources.
        .with_sampler(Sampler::AlwaysOn)
        .with_max_attributes_per_span(u32::MAX)
        .with_max_events_per_span(u32::MAX)
        .with_max_links_per_span(u32::MAX)
        .with_max_attributes_per_event(u32::MAX)
        .with_max_attributes_per_link(u32::MAX)
        .with_max_attribute_value_length(None)
        .with_id_generator(ids.clone())
        .with_resource(
            Resource::builder_empty()
                .with_attributes(key_values(resource))
                .with_attribute(KeyValue::new("service.name", service.to_owned()))
                .build(),
        );
    for pipeline in &pipelines {
        builder = builder.with_exporter(pipeline.clone());
    }
    let provider = builder.build();
    let mut tracers = BTreeMap::new();
    let local: HashSet<(u128, u64)> = spans
        .iter()
        .map(|span| (span.trace_id, span.span_id))
        .collect();
    for some in spans.chunks(AT_A_TIME) {
        for span in some {
            let is_remote = |parent| !local.contains(&(span.trace_id, parent));
            let (name, version) = &span.scope;
            let tracer = tracers.entry(&span.scope).or_insert_with(|| {
                let scope = InstrumentationScope::builder(name.clone());
                let scope = match version.is_empty() {
                    true => scope,
                    false => scope.with_version(version.clone()),
                };
                provider.tracer_with_scope(scope.build())
            });
            emit(tracer, &ids, span, span.parent_id.is_some_and(is_remote));
        }
        // What is not delivered is in the statistics, with the cause.
        _ = provider.force_flush_with_timeout(TIMEOUT);
    }
    _ = provider.shutdown_with_timeout(TIMEOUT);
    let mut stats: Vec<ExportStats> = pipelines.iter().map(Pipeline::stats).collect();
    if !destinations.is_empty() {
        stats.remove(0);
    }
    Ok(stats)
}

fn emit(tracer: &Tracer, ids: &FileIds, span: &OtlpSpan, parent_is_remote: bool) {
    let trace_id = TraceId::from(span.trace_id);
    ids.give(trace_id, SpanId::from(span.span_id));
    let parent = span.parent_id.map(|parent| {
        SpanContext::new(
            trace_id,
            SpanId::from(parent),
            TraceFlags::SAMPLED,
            parent_is_remote,
            TraceState::NONE,
        )
    });
    let started = tracer
        .span(span.name.clone())
        .with_kind(span.span_kind())
        .with_start_time(time(span.start));
    let mut started = match &parent {
        Some(parent) => started.with_parent(parent).start(),
        None => started.as_root().start(),
    };
    for (key, value) in &span.attributes {
        match value {
            Value::Text(text) => started.set_dynamic(key, text.as_str()),
            Value::Number(number) => started.set_dynamic(key, *number),
            Value::Flag(flag) => started.set_dynamic(key, *flag),
            Value::Float(_) | Value::List(_) => {
                started.set_attribute(KeyValue::new(key.clone(), otel_value(value)));
            }
        }
    }
    for event in &span.events {
        let attributes = key_values(&event.attributes);
        started.event_at(&event.name, time(event.time), &attributes[..]);
    }
    for link in &span.links {
        let context = SpanContext::new(
            TraceId::from(link.trace_id),
            SpanId::from(link.span_id),
            TraceFlags::SAMPLED,
            false,
            TraceState::NONE,
        );
        started.add_link(context, key_values(&link.attributes));
    }
    if span.is_ok {
        started.set_status(Status::Ok);
    }
    if let Some(error) = &span.error {
        started.set_error(error);
    }
    started.end_with_timestamp(time(span.end));
}

/// The attributes of a resource.
type Resources = Vec<(String, Value)>;

fn key_values(attributes: &[(String, Value)]) -> Vec<KeyValue> {
    let key_value = |(key, value): &(String, Value)| KeyValue::new(key.clone(), otel_value(value));
    attributes.iter().map(key_value).collect()
}

fn otel_value(value: &Value) -> opentelemetry::Value {
    use opentelemetry::{Array, StringValue};
    match value {
        Value::Text(text) => text.clone().into(),
        Value::Number(number) => (*number).into(),
        Value::Flag(flag) => (*flag).into(),
        Value::Float(bits) => f64::from_bits(*bits).into(),
        // Of one kind, which the first tells.
        Value::List(values) => opentelemetry::Value::Array(match values.first() {
            Some(Value::Number(_)) => Array::I64(
                values
                    .iter()
                    .filter_map(|value| match value {
                        Value::Number(number) => Some(*number),
                        _ => None,
                    })
                    .collect(),
            ),
            Some(Value::Flag(_)) => Array::Bool(
                values
                    .iter()
                    .map(|value| *value == Value::Flag(true))
                    .collect(),
            ),
            Some(Value::Float(_)) => Array::F64(
                values
                    .iter()
                    .filter_map(|value| match value {
                        Value::Float(bits) => Some(f64::from_bits(*bits)),
                        _ => None,
                    })
                    .collect(),
            ),
            _ => Array::String(
                values
                    .iter()
                    .filter_map(|value| match value {
                        Value::Text(text) => Some(StringValue::from(text.clone())),
                        _ => None,
                    })
                    .collect(),
            ),
        }),
    }
}

fn time(unix_nanos: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_nanos(unix_nanos)
}

/// Assigns the ids of the file to the span that starts next.
#[derive(Clone, Debug)]
struct FileIds(Arc<Mutex<(TraceId, SpanId)>>);

impl Default for FileIds {
    fn default() -> Self {
        Self(Arc::new(Mutex::new((TraceId::INVALID, SpanId::INVALID))))
    }
}

impl FileIds {
    fn give(&self, trace_id: TraceId, span_id: SpanId) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = (trace_id, span_id);
    }
}

impl IdGenerator for FileIds {
    fn new_trace_id(&self) -> TraceId {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0
    }

    fn new_span_id(&self) -> SpanId {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).1
    }
}
