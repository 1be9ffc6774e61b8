//! The environment, and the resource.

use crate::support::{Rig, body, value};
use opentelemetry::KeyValue;
use opentelemetry::logs::{AnyValue, LogRecord as _, Severity};
use opentelemetry_sdk::Resource;
use zerospan_core::dev::Warnings;
use zerospan_export::{InMemoryTransport, Pipeline};
use zerospan_logs::LoggerProviderBuilder;

fn rig(vars: &'static [(&'static str, &'static str)]) -> Rig {
    let lookup = |name: &str| {
        let found = vars.iter().find(|(var, _)| *var == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    Rig::from_builder(LoggerProviderBuilder::from_vars(lookup).0)
}

#[test]
fn limits_of_the_environment_apply_to_attributes_and_not_to_the_body() {
    let rig = rig(&[
        ("OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT", "2"),
        ("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "3"),
    ]);
    let mut record = rig.logger.record();
    record.set_body(AnyValue::from("longer than three"));
    for key in ["a", "b", "c"] {
        record.add_attribute(key, "longer than three");
    }
    rig.logger.emit(record);
    let found = rig.only_record();
    assert_eq!(body(&found), "longer than three");
    assert_eq!(
        (found.attributes.len(), found.dropped_attributes_count),
        (2, 1)
    );
    assert_eq!(value(&found.attributes, "b"), "lon");
}

#[test]
fn a_disabled_sdk_takes_no_record() {
    let rig = rig(&[("OTEL_SDK_DISABLED", "TRUE")]);
    assert!(!rig.logger.event_enabled(Severity::Fatal, "target", None));
    rig.logger.emit(rig.logger.record());
    // One that a logger in use made.
    rig.logger.emit(Rig::new().logger.record());
    assert_eq!(rig.records(), []);
    assert_eq!(rig.provider.stats().exports[0].recorded, 0);
    rig.provider.shutdown().expect("nothing is pending");
}

#[test]
fn the_resource_of_the_code_has_priority_over_that_of_the_environment() {
    let vars = |name: &str| match name {
        "OTEL_SERVICE_NAME" => Some("of the environment".to_owned()),
        "OTEL_RESOURCE_ATTRIBUTES" => Some("team=a%20b,service.name=other".to_owned()),
        _ => None,
    };
    for (given, name) in [(None, "of the environment"), (Some("given"), "given")] {
        let mut builder = LoggerProviderBuilder::from_vars(vars).0;
        if let Some(name) = given {
            let named = KeyValue::new("service.name", name);
            for attribute in [named, KeyValue::new("x", 1)] {
                let resource = Resource::builder_empty().with_attribute(attribute);
                builder = builder.with_resource(resource.build());
            }
        }
        let rig = Rig::from_builder(builder);
        rig.logger.emit(rig.logger.record());
        let resource = rig.exported().remove(0).resource.expect("a resource");
        let value = |key| value(&resource.attributes, key);
        assert_eq!(value("service.name"), name);
        assert_eq!(value("team"), "a b");
        assert_eq!(value("telemetry.sdk.name"), "zerospan");
    }
}

#[test]
fn a_pipeline_of_another_signal_is_left_out_and_logged() {
    let memory = InMemoryTransport::new();
    let spans = Pipeline::builder().with_transport(memory.clone()).build();
    let warnings = Warnings::of(|| {
        let rig = Rig::with(|builder| builder.with_exporter(spans.expect("valid")));
        rig.logger.emit(rig.logger.record());
        assert_eq!(rig.provider.pipelines().count(), 1);
        assert_eq!(rig.records().len(), 1);
    });
    assert!(memory.is_empty());
    assert!(
        warnings[0].starts_with("PipelineOfOtherSignal"),
        "{warnings:?}"
    );
}
