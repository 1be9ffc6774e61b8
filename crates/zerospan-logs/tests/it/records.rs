//! The contents of a record that was built through the API or native calls.

use crate::support::{Rig, body, string, value};
use opentelemetry::InstrumentationScope;
use opentelemetry::logs::{AnyValue, LogRecord as _, Logger as _, Severity};
use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};
use opentelemetry_proto::tonic::common::v1 as proto;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use zerospan_logs::{LogRecord, LoggerProvider, StaticKey};

fn int(value: i64) -> proto::AnyValue {
    proto::AnyValue {
        value: Some(proto::any_value::Value::IntValue(value)),
    }
}

#[test]
fn every_field_of_the_api_arrives() {
    let rig = Rig::new();
    let mut record = rig.logger.create_log_record();
    record.set_event_name("login");
    record.set_timestamp(UNIX_EPOCH + Duration::from_nanos(5));
    record.set_observed_timestamp(UNIX_EPOCH + Duration::from_nanos(6));
    record.set_severity_text("warning");
    record.set_severity_number(Severity::Warn2);
    record.set_body(AnyValue::from("a text"));
    record.add_attribute("one", 1);
    record.add_attributes([("two", AnyValue::from(2)), ("one", AnyValue::from(3))]);
    let (trace, span) = (TraceId::from(7), SpanId::from(8));
    record.set_trace_context(trace, span, Some(TraceFlags::SAMPLED));
    opentelemetry::logs::Logger::emit(&rig.logger, record);
    let found = rig.only_record();
    assert_eq!(found.event_name, "login");
    assert_eq!(
        (found.time_unix_nano, found.observed_time_unix_nano),
        (5, 6)
    );
    assert_eq!(found.severity_text, "warning");
    assert_eq!(found.severity_number, 14);
    assert_eq!(found.body, Some(string("a text")));
    let attributes = found.attributes.iter();
    let attributes: Vec<_> = attributes
        .map(|found| (&*found.key, found.value.clone()))
        .collect();
    assert_eq!(attributes, [("one", Some(int(3))), ("two", Some(int(2)))]);
    assert_eq!(found.trace_id, trace.to_bytes());
    assert_eq!((found.span_id, found.flags), (span.to_bytes().to_vec(), 1));
}

#[test]
fn native_calls_set_the_same_fields() {
    const USER: StaticKey = StaticKey::new("enduser.id");
    const PEER: StaticKey = StaticKey::new("network.peer");
    let rig = Rig::new();
    let mut record = rig.logger.record();
    record.set_severity(Severity::Error);
    record.set_unix_nanos(5);
    record.set_observed_unix_nanos(6);
    record.set_body_fmt(format_args!("{} of {}", 3, 4));
    record.set(&USER, "u-42");
    record.set_dynamic("count", 9);
    record.set_fmt(&PEER, format_args!("{}:{}", "host", 4317));
    record.set_all(&[("late", "l")]);
    let (trace, span) = (TraceId::from(7), SpanId::from(8));
    let flags = TraceFlags::SAMPLED;
    let context = SpanContext::new(trace, span, flags, false, TraceState::NONE);
    record.set_span_context(&context);
    // What was set can be read.
    assert_eq!(record.severity_number(), 17);
    assert_eq!(record.body().and_then(|body| body.as_str()), Some("3 of 4"));
    let count = record.attribute("count").and_then(|count| count.as_i64());
    assert_eq!(count, Some(9));
    assert_eq!(record.attributes().count(), 4);
    rig.logger.emit(record);
    let found = rig.only_record();
    assert_eq!(
        (found.severity_number, &*found.severity_text),
        (17, "ERROR")
    );
    assert_eq!(
        (found.time_unix_nano, found.observed_time_unix_nano),
        (5, 6)
    );
    assert_eq!(body(&found), "3 of 4");
    for (key, expected) in [
        ("enduser.id", "u-42"),
        ("network.peer", "host:4317"),
        ("late", "l"),
    ] {
        assert_eq!(value(&found.attributes, key), expected);
    }
    assert_eq!(found.trace_id, trace.to_bytes());
    assert_eq!((found.span_id, found.flags), (span.to_bytes().to_vec(), 1));
}

#[test]
fn a_record_without_an_observed_time_gets_the_current_one() {
    let rig = Rig::new();
    let now = || {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        since.expect("after 1970").as_nanos() as u64
    };
    let before = now();
    rig.logger.emit(rig.logger.record());
    let record = rig.only_record();
    let tolerance = 1_000_000;
    let observed = record.observed_time_unix_nano;
    assert!(observed + tolerance >= before && observed <= now() + tolerance);
    assert_eq!(record.time_unix_nano, 0, "the appender's to set");
}

#[test]
fn no_byte_of_an_earlier_record_appears_in_a_later_one() {
    let rig = Rig::new();
    let mut record = rig.logger.record();
    record.set_event_name("secret");
    record.set_target("secret".to_owned());
    record.set_severity(Severity::Fatal);
    record.set_body_value("secret");
    record.set_unix_nanos(1);
    record.set_dynamic("secret", "secret");
    record.set_trace_context(TraceId::from(7), SpanId::from(8), None);
    rig.logger.emit(record);
    drop(rig.logger.record());
    rig.records();
    let mut record = rig.logger.record();
    record.set_observed_unix_nanos(1);
    rig.logger.emit(record);
    let (scope, record) = rig.scoped_records().remove(0);
    assert_eq!(scope.name, "test");
    let expected = opentelemetry_proto::tonic::logs::v1::LogRecord {
        observed_time_unix_nano: 1,
        ..Default::default()
    };
    assert_eq!(record, expected);
}

#[test]
fn a_target_is_the_name_of_the_scope_and_keeps_the_rest_of_it() {
    let rig = Rig::new();
    let scope = InstrumentationScope::builder("logger").with_version("1");
    let logger = rig.provider.logger_with_scope(scope.build());
    for _ in 0..2 {
        for target in ["app::db", "app::web"] {
            let mut record = logger.record();
            record.set_target(target);
            logger.emit(record);
        }
        logger.emit(logger.record());
    }
    let exported = rig.exported();
    let scopes = &exported[0].scope_logs;
    assert_eq!(scopes.len(), 3, "one for each target, and the logger's");
    for scope_logs in scopes {
        let scope = scope_logs.scope.as_ref().expect("a scope");
        assert_eq!(scope.version, "1");
        assert_eq!(scope_logs.log_records.len(), 2, "{}", scope.name);
    }
}

#[test]
fn a_logger_tells_its_scope() {
    let rig = Rig::new();
    let scope = InstrumentationScope::builder("logger")
        .with_version("1")
        .build();
    let logger = rig.provider.logger_with_scope(scope.clone());
    assert_eq!(logger.instrumentation_scope(), &scope);
    assert_eq!(
        format!("{logger:?}"),
        "Logger { name: \"logger\", version: Some(\"1\"), .. }"
    );
    assert!(
        format!("{:?}", LoggerProvider::builder()).starts_with("LoggerProviderBuilder { clock: ")
    );
}

#[test]
fn a_record_that_is_dropped_is_not_exported() {
    let rig = Rig::new();
    drop(rig.logger.record());
    assert_eq!(rig.records(), []);
    assert_eq!(rig.provider.stats().exports[0].recorded, 0);
}

#[test]
fn a_record_may_be_emitted_on_another_thread_and_by_another_logger() {
    let rig = Rig::new();
    let other = Rig::with(|builder| builder.with_max_attributes_per_record(1));
    let mut record = rig.logger.record();
    record.set_dynamic("a", 1);
    record.set_dynamic("b", 2);
    let logger = other.logger.clone();
    std::thread::spawn(move || logger.emit(record))
        .join()
        .expect("the thread ends");
    assert_eq!(
        other.only_record().attributes.len(),
        2,
        "the limits of the logger that made it"
    );
    assert_eq!(rig.records(), []);
    // The memory of the one takes the limits of the other.
    let mut record = other.logger.record();
    record.set_dynamic("a", 1);
    record.set_dynamic("b", 2);
    other.logger.emit(record);
    let found = other.only_record();
    assert_eq!(
        (found.attributes.len(), found.dropped_attributes_count),
        (1, 1)
    );
    assert_eq!(other.provider.stats().limited, 1);
}

#[test]
fn a_body_of_a_mebibyte_arrives_and_one_beyond_a_request_is_counted() {
    let rig = Rig::new();
    for size in [1 << 20, 16 << 20] {
        let mut record = rig.logger.record();
        record.set_body(AnyValue::from("x".repeat(size)));
        rig.logger.emit(record);
    }
    assert_eq!(body(&rig.only_record()).len(), 1 << 20);
    let stats = rig.provider.stats();
    assert!(stats.is_balanced(), "{stats:?}");
    let export = &stats.exports[0];
    let dropped = export.dropped.by(zerospan_export::DropCause::TooLarge);
    assert_eq!((export.delivered, dropped), (1, 1));
}

#[test]
fn maps_and_lists_of_any_depth_leave_the_request_readable() {
    let rig = Rig::new();
    let mut value = AnyValue::from(1);
    for level in 0..1000 {
        value = match level % 2 {
            0 => AnyValue::ListAny(Box::new(vec![value])),
            _ => AnyValue::Map(Box::new([("key".into(), value)].into_iter().collect())),
        };
    }
    let mut record = rig.logger.record();
    record.set_body(value.clone());
    record.add_attribute("deep", value);
    record.add_attribute("bytes", AnyValue::Bytes(Box::new(vec![0, 255])));
    rig.logger.emit(record);
    let found = rig.only_record();
    assert!(found.body.is_some());
    assert_eq!(found.attributes.len(), 2);
}

#[test]
fn texts_of_attributes_are_cut_at_the_limit_and_the_body_is_not() {
    let rig = Rig::with(|builder| builder.with_max_attribute_value_length(Some(3)));
    let mut record = rig.logger.record();
    record.set_body_value("a whole text");
    record.set_dynamic("native", "äöüß");
    record.set_dynamic("short", "abc");
    rig.logger.emit(record);
    let found = rig.only_record();
    assert_eq!(body(&found), "a whole text");
    assert_eq!(value(&found.attributes, "native"), "äöü");
    assert_eq!(value(&found.attributes, "short"), "abc");
}

/// Logs while it is formatted.
struct Logging<'a>(&'a Rig);

impl std::fmt::Debug for Logging<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut record = self.0.logger.record();
        record.set_body_value("inner");
        self.0.logger.emit(record);
        let flushed = self.0.provider.force_flush();
        flushed.map_err(|_| std::fmt::Error)?;
        f.write_str("formatted")
    }
}

#[test]
fn a_debug_that_logs_and_flushes_while_it_is_formatted_returns() {
    const KEY: StaticKey = StaticKey::new("key");
    let rig = Rig::new();
    let mut record = rig.logger.record();
    record.set_body_fmt(format_args!("outer {:?}", Logging(&rig)));
    record.set_fmt(&KEY, format_args!("{:?}", Logging(&rig)));
    rig.logger.emit(record);
    let records = rig.records();
    let bodies: Vec<_> = records.iter().map(body).collect();
    assert_eq!(bodies, ["inner", "inner", "outer formatted"]);
    assert_eq!(value(&records[2].attributes, "key"), "formatted");
}

#[test]
fn a_debug_that_panics_leaves_the_record_without_the_value_and_the_next_one_clean() {
    struct Panicking;
    impl std::fmt::Debug for Panicking {
        fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            std::panic::resume_unwind(Box::new("on purpose"));
        }
    }
    const KEY: StaticKey = StaticKey::new("key");
    let rig = Rig::new();
    let format = |record: &mut LogRecord| {
        let text = std::panic::AssertUnwindSafe(|| {
            record.set_fmt(&KEY, format_args!("half {Panicking:?}"));
        });
        assert!(std::panic::catch_unwind(text).is_err());
    };
    let mut record = rig.logger.record();
    record.set_body_value("kept");
    format(&mut record);
    rig.logger.emit(record);
    format(&mut rig.logger.record());
    rig.logger.emit(rig.logger.record());
    let records = rig.records();
    assert_eq!(body(&records[0]), "kept");
    let attributes = |record: &opentelemetry_proto::tonic::logs::v1::LogRecord| {
        (record.attributes.len(), record.dropped_attributes_count)
    };
    assert_eq!(attributes(&records[0]), (0, 1));
    assert_eq!(attributes(&records[1]), (0, 0));
}

#[test]
fn a_record_of_a_provider_that_exports_nothing_ignores_everything() {
    let provider = LoggerProvider::default();
    let logger = provider.logger("test");
    assert!(!logger.event_enabled(Severity::Fatal, "target", None));
    for mut record in [logger.record(), LogRecord::default()] {
        record.set_body_value("text");
        record.set_dynamic("key", 1);
        assert!(record.body().is_none() && record.attributes().next().is_none());
        logger.emit(record);
    }
}
