//! Spans to send, and the decoding of those that arrive.

use opentelemetry::trace::{SpanContext, SpanId, Status, TraceFlags, TraceId, TraceState};
use opentelemetry::{InstrumentationScope, KeyValue};
use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};
use zerospan_core::Attribute;
use zerospan_export::{
    BatchConfig, ConfigError, EncodedResource, ExportStats, FlushError, OtlpConfig, Pipeline,
    PipelineBuilder, RetryPolicy, Scope,
};
use zerospan_otlp::{LogRecordRecorder, RequestView, SpanRecorder, SpanStart};

pub(crate) fn scope(name: &'static str) -> Scope {
    Scope::new(&InstrumentationScope::builder(name).build())
}

pub(crate) fn resource() -> EncodedResource {
    EncodedResource::new(&[KeyValue::new("service.name", "tests")], None)
}

/// Long enough for a flush on any machine, under a sanitizer too.
pub(crate) const LONG: Duration = Duration::from_secs(30);

/// The time for what ends on its own on any machine, and would take [`LONG`] if it waited for something else.
pub(crate) const BRIEF: Duration = Duration::from_secs(15);

/// A pipeline in a hurry: short waits, and no timer that a test does not ask for.
pub(crate) fn quick() -> PipelineBuilder {
    Pipeline::builder()
        .with_resource(resource())
        // What is recorded waits for a flush, on a slow machine too.
        .with_batch(batch(|batch| {
            batch.schedule_delay = Duration::from_secs(600);
        }))
        .with_retry(
            RetryPolicy::default().with_waits(Duration::from_millis(5), Duration::from_millis(20)),
        )
        // Tests of a fault wait for it, and those of what follows have to be answered within it, on a busy machine too.
        .with_timeout(Duration::from_millis(1500))
}

/// The standard batch, with `change` made to it.
pub(crate) fn batch(change: impl FnOnce(&mut BatchConfig)) -> BatchConfig {
    let mut batch = BatchConfig::default();
    change(&mut batch);
    batch
}

/// The span number `number`, with one attribute of `size` bytes, as one field `ScopeSpans.spans`.
pub(crate) fn span(number: u64, size: usize) -> Vec<u8> {
    let context = SpanContext::new(
        TraceId::from(1),
        SpanId::from(number + 1),
        TraceFlags::SAMPLED,
        false,
        TraceState::NONE,
    );
    let mut recorder = SpanRecorder::new();
    recorder.begin(&SpanStart::new(&context, "span", 1));
    recorder.set_attribute(Attribute::new("filler", "x".repeat(size).as_str()));
    let mut field = Vec::new();
    recorder.finish(1, &Status::Unset, &mut field);
    field
}

/// The log record number `number`, as one field `ScopeLogs.log_records`. Its number is in the id of its span, as a span's is.
pub(crate) fn log_record(number: u64) -> Vec<u8> {
    let mut recorder = LogRecordRecorder::new();
    recorder.set_time(1);
    recorder.set_body_fmt(format_args!("record {number}"));
    let span = SpanId::from(number + 1);
    recorder.set_trace_context(TraceId::from(1), span, TraceFlags::SAMPLED);
    let mut field = Vec::new();
    recorder.finish(&mut field);
    field
}

/// Records spans with these numbers. Returns the number of those that were accepted.
pub(crate) fn record(pipeline: &Pipeline, scope: &Scope, numbers: std::ops::Range<u64>) -> u64 {
    numbers
        .map(|number| u64::from(pipeline.record_encoded(scope, &span(number, 100)).is_ok()))
        .sum()
}

/// Decodes requests: returns the numbers of the spans of each scope, in order. Panics if a request is malformed.
pub(crate) fn received(requests: &[Vec<u8>]) -> BTreeMap<String, Vec<u64>> {
    let mut scopes: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for request in requests {
        let request = RequestView::new(request);
        request.validate().expect("a request is well-formed");
        for resource in request.resource_spans() {
            for scope in resource.expect("valid").scope_spans() {
                let scope = scope.expect("valid");
                let name = scope.scope().map_or("", |scope| scope.name());
                let numbers = scopes.entry(name.to_owned()).or_default();
                for span in scope.spans() {
                    let span = span.expect("valid");
                    let id: [u8; 8] = span.span_id().try_into().expect("8 bytes");
                    numbers.push(u64::from_be_bytes(id) - 1);
                }
            }
        }
    }
    scopes
}

/// Returns the outcome of a flush without the failure that it carries.
pub(crate) fn without_cause(outcome: Result<(), FlushError>) -> Result<(), FlushError> {
    outcome.map_err(|mut error| {
        if let FlushError::Lost { cause, .. } | FlushError::TimedOut { cause, .. } = &mut error {
            *cause = None;
        }
        error
    })
}

/// Waits until the statistics are as `wanted`, for [`LONG`] at most, and returns them.
pub(crate) fn eventually(
    pipeline: &Pipeline,
    wanted: impl Fn(&ExportStats) -> bool,
) -> ExportStats {
    let until = Instant::now() + LONG;
    loop {
        let stats = pipeline.stats();
        assert!(stats.is_balanced(), "{stats:?}");
        if wanted(&stats) || Instant::now() >= until {
            return stats;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// The exporter's settings with these variables in the environment, and what is ignored of them.
pub(crate) fn from(vars: &[(&str, &str)]) -> (OtlpConfig, Vec<ConfigError>) {
    let vars: HashMap<&str, &str> = vars.iter().copied().collect();
    OtlpConfig::from_vars(|name| vars.get(name).map(|value| (*value).to_owned()))
}

/// The same for the batch.
pub(crate) fn batch_from(vars: &[(&str, &str)]) -> (BatchConfig, Vec<String>) {
    let vars: HashMap<&str, &str> = vars.iter().copied().collect();
    let (batch, errors) =
        BatchConfig::from_vars(|name| vars.get(name).map(|value| (*value).to_owned()));
    (batch, errors.iter().map(ToString::to_string).collect())
}
