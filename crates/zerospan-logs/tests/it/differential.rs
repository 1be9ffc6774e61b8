//! Runs random programs of the API on this provider and on the official one. The exports are equal, after a naive model has
//! corrected the official one where it departs from the specification.

use crate::support::{Rig, flatten};
use opentelemetry::logs::{AnyValue, LogRecord as _, Logger, LoggerProvider, Severity};
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};
use opentelemetry::{Context, InstrumentationScope, Key, KeyValue};
use opentelemetry_proto::tonic::common::v1 as proto;
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use opentelemetry_proto::transform::logs::tonic::group_logs_by_resource_and_scope;
use opentelemetry_sdk::logs::{InMemoryLogExporter, LogBatch, SdkLoggerProvider};
use proptest::collection::vec;
use proptest::prelude::*;
use std::time::{Duration, UNIX_EPOCH};

type Scoped = (proto::InstrumentationScope, LogRecord);

/// Returns what the official transform makes of the records that the exporter holds.
pub(crate) fn official_records(exporter: &InMemoryLogExporter) -> Vec<Scoped> {
    let logs = exporter.get_emitted_logs().expect("kept");
    let resource = ResourceAttributesWithSchema::default();
    let mut records = Vec::new();
    // One by one, since the transform groups them in a random order.
    for log in &logs {
        let batch = [(&log.record, &log.instrumentation)];
        let exported = group_logs_by_resource_and_scope(&LogBatch::new(&batch), &resource);
        records.extend(flatten(exported));
    }
    records
}

#[derive(Clone, Debug)]
struct Emit {
    logger: usize,
    event_name: Option<&'static str>,
    target: Option<&'static str>,
    time: Option<u32>,
    severity_text: Option<&'static str>,
    severity: Option<Severity>,
    body: Option<AnyValue>,
    attributes: Vec<(&'static str, AnyValue)>,
    given_span: Option<(u128, u64, Option<bool>)>,
    current_span: Option<(u128, u64)>,
}

fn value() -> impl Strategy<Value = AnyValue> {
    let leaf = prop_oneof![
        any::<i64>().prop_map(AnyValue::Int),
        any::<f64>().prop_map(AnyValue::Double),
        any::<bool>().prop_map(AnyValue::Boolean),
        "\\PC{0,20}".prop_map(AnyValue::from),
        vec(any::<u8>(), 0..10).prop_map(|bytes| AnyValue::Bytes(Box::new(bytes))),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        let list = vec(inner.clone(), 0..4).prop_map(|list| AnyValue::ListAny(Box::new(list)));
        let map = vec(("[a-c]", inner), 0..3).prop_map(|map| {
            let entries = map.into_iter().map(|(key, value)| (Key::from(key), value));
            AnyValue::Map(Box::new(entries.collect()))
        });
        prop_oneof![list, map]
    })
}

fn emit() -> impl Strategy<Value = Emit> {
    use proptest::option::of;
    use proptest::sample::select;
    let severities = vec![
        Severity::Trace,
        Severity::Info3,
        Severity::Error,
        Severity::Fatal4,
    ];
    let head = (
        0..2_usize,
        of(select(vec!["login", ""])),
        of(select(vec!["app::db", "app::web", ""])),
        of(any::<u32>()),
        of(select(vec!["INFO", "information", ""])),
        of(select(severities)),
    );
    let attributes = vec((select(vec!["a", "b", "c", "d", ""]), value()), 0..8);
    let span = || (1..u128::MAX, 1..u64::MAX);
    let given = (span(), of(any::<bool>())).prop_map(|((trace, span), flag)| (trace, span, flag));
    let tail = (of(value()), attributes, of(given), of(span()));
    (head, tail).prop_map(|(head, tail)| {
        let (logger, event_name, target, time, severity_text, severity) = head;
        let (body, attributes, given_span, current_span) = tail;
        Emit {
            logger,
            event_name,
            target,
            time,
            severity_text,
            severity,
            body,
            attributes,
            given_span,
            current_span,
        }
    })
}

/// Runs `program`. Each record has its number as observed time.
fn run<P: LoggerProvider>(program: &[Emit], provider: &P) {
    let full = InstrumentationScope::builder("full")
        .with_version("1")
        .with_schema_url("https://example.com/schema")
        .with_attributes([KeyValue::new("scope", 1)]);
    let loggers = [
        provider.logger("plain"),
        provider.logger_with_scope(full.build()),
    ];
    for (number, step) in program.iter().enumerate() {
        let attached = step.current_span.map(|(trace, span)| {
            let (trace, span) = (TraceId::from(trace), SpanId::from(span));
            let (flags, state) = (TraceFlags::SAMPLED, TraceState::NONE);
            let span = SpanContext::new(trace, span, flags, true, state);
            Context::new().with_remote_span_context(span).attach()
        });
        let logger = &loggers[step.logger];
        let mut record = logger.create_log_record();
        record.set_observed_timestamp(UNIX_EPOCH + Duration::from_nanos(number as u64 + 1));
        if let Some(name) = step.event_name {
            record.set_event_name(name);
        }
        if let Some(target) = step.target {
            record.set_target(target);
        }
        if let Some(time) = step.time {
            record.set_timestamp(UNIX_EPOCH + Duration::from_nanos(u64::from(time)));
        }
        if let Some(text) = step.severity_text {
            record.set_severity_text(text);
        }
        if let Some(severity) = step.severity {
            record.set_severity_number(severity);
        }
        if let Some(body) = &step.body {
            record.set_body(body.clone());
        }
        record.add_attributes(step.attributes.iter().cloned());
        if let Some((trace, span, flag)) = step.given_span {
            let flags = flag.map(|flag| TraceFlags::NOT_SAMPLED.with_sampled(flag));
            record.set_trace_context(TraceId::from(trace), SpanId::from(span), flags);
        }
        logger.emit(record);
        drop(attached);
    }
}

/// Keeps the last value of each key, in the place of the first, and `max` of them. Counts what does not fit.
fn by_the_specification(record: &mut LogRecord, max: usize) {
    let mut kept: Vec<proto::KeyValue> = Vec::new();
    for attribute in record.attributes.drain(..) {
        match kept.iter().position(|held| held.key == attribute.key) {
            Some(at) => kept[at] = attribute,
            None if kept.len() < max => kept.push(attribute),
            None => record.dropped_attributes_count += 1,
        }
    }
    record.attributes = kept;
}

/// Sorts what has no order, and prints the rest, since NaN is not equal to itself.
fn comparable(mut records: Vec<Scoped>) -> Vec<String> {
    fn sort(value: &mut proto::AnyValue) {
        match &mut value.value {
            Some(proto::any_value::Value::KvlistValue(list)) => {
                list.values.sort_by(|a, b| a.key.cmp(&b.key));
                let values = list.values.iter_mut();
                values
                    .filter_map(|entry| entry.value.as_mut())
                    .for_each(sort);
            }
            Some(proto::any_value::Value::ArrayValue(list)) => {
                list.values.iter_mut().for_each(sort);
            }
            _ => {}
        }
    }
    records.sort_by_key(|(_, record)| record.observed_time_unix_nano);
    for (_, record) in &mut records {
        record.body.as_mut().into_iter().for_each(sort);
        let attributes = record.attributes.iter_mut();
        attributes
            .filter_map(|entry| entry.value.as_mut())
            .for_each(sort);
    }
    records
        .iter()
        .map(|scoped| format!("{scoped:#?}"))
        .collect()
}

proptest! {
    #[test]
    fn any_program_exports_what_the_official_provider_should_have(
        program in vec(emit(), 0..12),
        max in 0..6_u32,
    ) {
        let exporter = InMemoryLogExporter::default();
        let official = SdkLoggerProvider::builder()
            .with_simple_exporter(exporter.clone())
            .build();
        run(&program, &official);
        let mut expected = official_records(&exporter);
        for (_, record) in &mut expected {
            by_the_specification(record, max as usize);
        }
        let rig = Rig::with(|builder| builder.with_max_attributes_per_record(max));
        run(&program, &rig.provider);
        let (ours, expected) = (comparable(rig.scoped_records()), comparable(expected));
        prop_assert_eq!(ours.len(), program.len());
        for (ours, expected) in ours.iter().zip(&expected) {
            prop_assert_eq!(ours, expected);
        }
        let stats = rig.provider.stats();
        prop_assert!(stats.is_balanced());
    }
}
