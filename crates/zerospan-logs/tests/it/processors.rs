//! Processors, this crate's own and the official SDK's.

use crate::support::{Rig, body, decode, flatten, pipeline, value};
use opentelemetry::logs::{AnyValue, LogRecord as _, Severity};
use opentelemetry::trace::{SpanId, TraceFlags, TraceId};
use opentelemetry::{InstrumentationScope, Key};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::logs::{
    InMemoryLogExporter, LogProcessor, SdkLogRecord, SimpleLogProcessor,
};
use std::mem;
use std::time::Duration;
use zerospan_logs::{LogRecord, LoggerProvider, Processor};

/// Appends its name to an attribute.
#[derive(Debug)]
struct Naming(&'static str);

impl Processor for Naming {
    fn on_emit(&self, record: &mut LogRecord, scope: &InstrumentationScope) {
        assert_eq!(scope.name(), "test");
        let before = record.attribute("names");
        let before = before.and_then(|names| names.as_str());
        let names = format!("{}{}", before.unwrap_or_default(), self.0);
        record.set_dynamic("names", names.as_str());
    }

    fn event_enabled(&self, _: Severity, target: &str, _: Option<&str>) -> bool {
        target == self.0
    }
}

#[test]
fn each_sink_sees_what_the_processors_before_it_changed() {
    let (middle, memory) = pipeline();
    let rig = Rig::with(|builder| {
        builder
            .with_processor(Naming("a"))
            .with_exporter(middle)
            .with_processor(Naming("b"))
    });
    rig.logger.emit(rig.logger.record());
    assert_eq!(value(&rig.only_record().attributes, "names"), "ab");
    let (_, record) = flatten(decode(&memory)).remove(0);
    assert_eq!(value(&record.attributes, "names"), "a");
}

#[test]
fn a_processor_that_takes_the_record_keeps_it_from_the_sinks_after_it() {
    #[derive(Debug)]
    struct Filter;
    impl Processor for Filter {
        fn on_emit(&self, record: &mut LogRecord, _: &InstrumentationScope) {
            if record.severity_number() < Severity::Warn as u8 {
                drop(mem::take(record));
            }
        }
    }
    let rig = Rig::with(|builder| builder.with_processor(Filter));
    for severity in [Severity::Info, Severity::Warn] {
        let mut record = rig.logger.record();
        record.set_severity(severity);
        rig.logger.emit(record);
    }
    assert_eq!(rig.only_record().severity_number, Severity::Warn as i32);
}

#[test]
fn an_event_is_enabled_if_an_exporter_or_one_of_the_processors_takes_it() {
    let processors = |builder: zerospan_logs::LoggerProviderBuilder| {
        builder
            .with_processor(Naming("a"))
            .with_processor(Naming("b"))
    };
    let provider = processors(LoggerProvider::builder()).build();
    let logger = provider.logger("test");
    for (target, expected) in [("a", true), ("b", true), ("c", false)] {
        assert_eq!(logger.event_enabled(Severity::Info, target, None), expected);
    }
    let rig = Rig::with(processors);
    assert!(rig.logger.event_enabled(Severity::Info, "c", None));
}

#[test]
fn a_processor_may_emit_records_itself() {
    #[derive(Debug)]
    struct Doubling(std::sync::OnceLock<zerospan_logs::Logger>);
    impl Processor for &'static Doubling {
        fn on_emit(&self, record: &mut LogRecord, _: &InstrumentationScope) {
            if record.body().is_none() {
                let logger = self.0.get().expect("set");
                let mut second = logger.record();
                second.set_body_value("second");
                logger.emit(second);
            }
        }
    }
    static DOUBLING: Doubling = Doubling(std::sync::OnceLock::new());
    let rig = Rig::with(|builder| builder.with_processor(&DOUBLING));
    DOUBLING.0.get_or_init(|| rig.logger.clone());
    rig.logger.emit(rig.logger.record());
    let records = rig.records();
    let bodies: Vec<_> = records.iter().map(body).collect();
    assert_eq!(bodies, ["second", ""]);
}

/// Emits a record with every field.
fn emit_full(rig: &Rig) {
    let mut record = rig.logger.record();
    record.set_event_name("login");
    record.set_target("app::target");
    record.set_severity(Severity::Warn3);
    record.set_unix_nanos(5);
    record.set_observed_unix_nanos(6);
    record.set_body(AnyValue::from("a body"));
    let flags = Some(TraceFlags::SAMPLED);
    record.set_trace_context(TraceId::from(7), SpanId::from(8), flags);
    let list = AnyValue::ListAny(Box::new(vec![AnyValue::from(1), AnyValue::from("two")]));
    let map = [(Key::new("in"), AnyValue::from(true))].into_iter();
    record.add_attribute("map", AnyValue::Map(Box::new(map.collect())));
    record.add_attribute("list", list);
    record.add_attribute("bytes", AnyValue::Bytes(Box::new(vec![1, 2])));
    record.add_attribute("double", 1.5);
    rig.logger.emit(record);
}

#[test]
fn an_exporter_of_the_official_sdk_gets_every_field() {
    let exporter = InMemoryLogExporter::default();
    let processor = SimpleLogProcessor::new(exporter.clone());
    let resource = Resource::builder_empty().with_service_name("checkout");
    let rig = Rig::with(|builder| {
        builder
            .with_resource(resource.build())
            .with_log_processor(processor)
    });
    emit_full(&rig);
    let exported = exporter.get_emitted_logs().expect("kept");
    let [log] = &exported[..] else {
        panic!("{exported:?}")
    };
    let name = log.resource.get(&Key::new("service.name"));
    assert_eq!(name.map(|name| name.to_string()), Some("checkout".into()));
    assert_eq!(log.instrumentation.name(), "test");
    let official = opentelemetry_proto::tonic::logs::v1::LogRecord::from(&log.record);
    assert_eq!(log.record.target().map(AsRef::as_ref), Some("app::target"));
    assert_eq!(official, rig.only_record());
}

/// Changes a record as official processors do.
#[derive(Debug)]
struct Redacting;

impl LogProcessor for Redacting {
    fn emit(&self, record: &mut SdkLogRecord, _: &InstrumentationScope) {
        record.set_body(AnyValue::from("redacted"));
        record.add_attribute("redacted", true);
    }

    fn event_enabled(&self, _: Severity, target: &str, _: Option<&str>) -> bool {
        target != "refused"
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

#[test]
fn what_a_processor_of_the_official_sdk_changes_is_exported() {
    let (before, memory) = pipeline();
    let rig = Rig::with(|builder| builder.with_exporter(before).with_log_processor(Redacting));
    emit_full(&rig);
    let (scope, changed) = rig.scoped_records().remove(0);
    let (_, mut expected) = flatten(decode(&memory)).remove(0);
    assert_eq!(body(&changed), "redacted");
    assert_eq!(scope.name, "app::target");
    let added = changed.attributes.last().expect("added").clone();
    assert_eq!(added.key, "redacted");
    expected.body.clone_from(&changed.body);
    expected.attributes.push(added);
    assert_eq!(changed, expected, "the rest is as it was");
}

#[test]
fn a_processor_of_the_official_sdk_is_asked_for_the_events_it_wants() {
    let provider = LoggerProvider::builder()
        .with_log_processor(Redacting)
        .build();
    let logger = provider.logger("test");
    for (target, expected) in [("wanted", true), ("refused", false)] {
        assert_eq!(logger.event_enabled(Severity::Info, target, None), expected);
    }
}
