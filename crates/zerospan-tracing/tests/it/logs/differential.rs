//! The same program under the official bridge: the same records, but for what the table says.

use super::support::{Log, LogRig};
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use opentelemetry_proto::transform::logs::tonic::group_logs_by_resource_and_scope;
use opentelemetry_sdk::logs::{InMemoryLogExporter, LogBatch, SdkLoggerProvider};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::error::Error;
use tracing::Dispatch;
use tracing::{debug, error, info, trace, warn};
use tracing_subscriber::Registry;
use tracing_subscriber::layer::SubscriberExt;

/// An event, with the values of its fields.
#[derive(Clone, Debug)]
enum Step {
    Plain(u8),
    Fields(i64, u64, bool, f64, String),
    Formatted(String, Option<i64>),
    Wide(i128, u128),
    Bytes(Vec<u8>),
    Target(String),
    Named,
    Error(String),
    Log(String, String),
}

fn step() -> impl Strategy<Value = Step> {
    let text = || "\\PC{0,12}";
    prop_oneof![
        (0..5_u8).prop_map(Step::Plain),
        (any::<i64>(), any::<u64>(), any::<bool>(), -1e9..1e9, text())
            .prop_map(|(a, b, c, d, e)| Step::Fields(a, b, c, d, e)),
        (text(), any::<Option<i64>>()).prop_map(|(text, number)| Step::Formatted(text, number)),
        (any::<i128>(), any::<u128>()).prop_map(|(a, b)| Step::Wide(a, b)),
        (-9..9_i128, 0..9_u128).prop_map(|(a, b)| Step::Wide(a, b)),
        any::<Vec<u8>>().prop_map(Step::Bytes),
        text().prop_map(Step::Target),
        Just(Step::Named),
        text().prop_map(Step::Error),
        ("[a-z:]{1,20}", text()).prop_map(|(target, text)| Step::Log(target, text)),
    ]
}

#[derive(Debug)]
struct Failure(String);

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Failure {}

fn run(program: &[Step]) {
    for step in program {
        match step {
            Step::Plain(0) => trace!("plain"),
            Step::Plain(1) => debug!("plain"),
            Step::Plain(2) => info!("plain"),
            Step::Plain(3) => warn!("plain"),
            Step::Plain(_) => error!("plain"),
            Step::Fields(a, b, c, d, e) => info!(a, b, c, d, e, "fields"),
            Step::Formatted(text, number) => {
                warn!(display = %text, debug = ?text, number, "formatted {text} {number:?}");
            }
            Step::Wide(a, b) => info!(a, b, "wide"),
            Step::Bytes(bytes) => info!(bytes = &bytes[..], "bytes"),
            Step::Target(text) => error!(target: "shop::db", message = text.as_str()),
            Step::Named => info!(name: "checkout.paid", answer = 42),
            Step::Error(text) => {
                let failure = Failure(text.clone());
                let failure = &failure as &(dyn Error + 'static);
                error!(failure, "failed");
            }
            Step::Log(target, text) => {
                let emitted = tracing_log::format_trace(
                    &log::Record::builder()
                        .target(target)
                        .module_path(Some("shop::module"))
                        .file(Some("src/module.rs"))
                        .line(Some(7))
                        .args(format_args!("{text}"))
                        .build(),
                );
                emitted.expect("always");
            }
        }
    }
}

/// Returns what the official bridge, provider and transform make of a program, in its order.
fn official(program: &[Step]) -> Vec<Log> {
    let exporter = InMemoryLogExporter::default();
    let provider = SdkLoggerProvider::builder()
        .with_simple_exporter(exporter.clone())
        .build();
    let layer = OpenTelemetryTracingBridge::new(&provider);
    let dispatch = Dispatch::new(Registry::default().with(layer));
    tracing::dispatcher::with_default(&dispatch, || run(program));
    let emitted = exporter.get_emitted_logs().expect("it keeps them");
    let resource = ResourceAttributesWithSchema::default();
    let mut logs = Vec::new();
    for emitted in &emitted {
        let one = [(&emitted.record, &emitted.instrumentation)];
        for group in group_logs_by_resource_and_scope(&LogBatch::new(&one), &resource) {
            for scope in group.scope_logs {
                let name = scope.scope.unwrap_or_default().name;
                let records = scope.log_records.into_iter();
                logs.extend(records.map(|record| Log {
                    scope: name.clone(),
                    record,
                }));
            }
        }
    }
    logs
}

/// The parts of a record that both sides have.
type Normal = (String, String, BTreeMap<String, String>, i32, String);

fn attributes(record: &LogRecord) -> BTreeMap<String, String> {
    let pair = |held: &KeyValue| (held.key.clone(), format!("{:?}", held.value));
    let map: BTreeMap<String, String> = record.attributes.iter().map(pair).collect();
    assert_eq!(
        map.len(),
        record.attributes.len(),
        "a key twice: {record:#?}"
    );
    map
}

fn normal(log: &Log) -> Normal {
    (
        log.scope.clone(),
        log.body().to_owned(),
        attributes(&log.record),
        log.record.severity_number,
        log.record.severity_text.clone(),
    )
}

/// Makes of the official bridge's record what it should be.
fn correct(log: &mut Log) {
    let record = &mut log.record;
    // The official transform writes bytes as an array of integers.
    for held in &mut record.attributes {
        if held.key == "bytes"
            && let Some(value) = &mut held.value
            && let Some(Value::ArrayValue(array)) = &value.value
        {
            let byte = |value: &Option<Value>| match value {
                Some(Value::IntValue(byte)) => *byte as u8,
                other => panic!("no byte: {other:?}"),
            };
            let bytes = array
                .values
                .iter()
                .map(|value| byte(&value.value))
                .collect();
            value.value = Some(Value::BytesValue(bytes));
        }
    }
    // Records of `log` lose their target, and their location has names of its own.
    if log.scope == "log" {
        let mut location = Vec::new();
        for held in std::mem::take(&mut record.attributes) {
            let key = match &*held.key {
                "log.target" => {
                    let Some(Value::StringValue(target)) = held.value.and_then(|held| held.value)
                    else {
                        panic!("a target is a text");
                    };
                    log.scope = target;
                    continue;
                }
                "log.file" => "code.file.path",
                "log.module_path" => "code.module.name",
                "log.line" => "code.line.number",
                key => key,
            };
            location.push(KeyValue {
                key: key.to_owned(),
                ..held
            });
        }
        record.attributes = location;
    }
    // Events are named after their line.
    if record.event_name.starts_with("event ") || record.event_name == "log event" {
        record.event_name.clear();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_program_logs_what_the_official_bridge_should_have(
        program in prop::collection::vec(step(), 1..12)
    ) {
        let rig = LogRig::new();
        let mut ours = rig.run_with(|layer| layer, || run(&program));
        let mut theirs = official(&program);
        prop_assert_eq!(ours.len(), program.len());
        // Ours are grouped by scope.
        ours.sort_by_key(|log| log.record.time_unix_nano);
        for (ours, theirs) in ours.iter_mut().zip(&mut theirs) {
            correct(theirs);
            prop_assert_eq!(&ours.record.event_name, &theirs.record.event_name);
            prop_assert!(ours.record.time_unix_nano != 0 && theirs.record.time_unix_nano == 0);
            // The location is ours alone, but for records of `log`.
            if attributes(&theirs.record).keys().all(|key| !key.starts_with("code.")) {
                ours.record.attributes.retain(|held| !held.key.starts_with("code."));
            }
            // So is the type of an exception.
            ours.record.attributes.retain(|held| held.key != "exception.type");
            prop_assert_eq!(normal(ours), normal(theirs));
        }
    }
}
