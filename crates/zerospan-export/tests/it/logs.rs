//! A pipeline for logs delivers log records as one for traces delivers spans.

use crate::collector::{Collector, Reply};
use crate::support::{LONG, eventually, resource, scope, without_cause};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, any_value};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ScopeLogs};
use prost::Message;
use std::time::Duration;
use zerospan_export::{BatchConfig, FlushError, Pipeline, PipelineBuilder, Protocol, Signal};

/// Encodes a log record as one field `ScopeLogs.log_records`.
fn log_record(number: u64) -> Vec<u8> {
    let record = LogRecord {
        time_unix_nano: number,
        severity_text: "INFO".to_owned(),
        body: Some(AnyValue {
            value: Some(any_value::Value::StringValue(format!("record {number}"))),
        }),
        ..LogRecord::default()
    };
    // A message with the record alone is exactly that field.
    let scope = ScopeLogs {
        log_records: vec![record],
        ..ScopeLogs::default()
    };
    scope.encode_to_vec()
}

/// Returns the bodies of the log records in the requests that a collector received.
fn bodies(collector: &Collector) -> Vec<String> {
    let mut bodies = Vec::new();
    for request in collector.requests() {
        let request = ExportLogsServiceRequest::decode(&request[..]).unwrap();
        for resource in request.resource_logs {
            assert_eq!(resource.resource.unwrap().attributes[0].key, "service.name");
            for scope in resource.scope_logs {
                assert_eq!(scope.scope.unwrap().name, "checkout");
                for record in scope.log_records {
                    match record.body.and_then(|body| body.value) {
                        Some(any_value::Value::StringValue(text)) => bodies.push(text),
                        other => panic!("{other:?}"),
                    }
                }
            }
        }
    }
    bodies
}

#[test]
fn log_records_arrive_once_each_and_in_order_over_each_protocol() {
    for protocol in [Protocol::HttpProtobuf, Protocol::Grpc] {
        let collector = Collector::start(protocol);
        let pipeline = Pipeline::builder()
            .with_signal(Signal::Logs)
            .with_otlp(collector.config_for(Signal::Logs))
            .with_resource(resource())
            .build()
            .unwrap();
        let checkout = scope("checkout");
        for number in 0..700 {
            pipeline
                .record_encoded(&checkout, &log_record(number))
                .unwrap();
        }
        assert_eq!(pipeline.force_flush(LONG), Ok(()));
        let expected = (0..700).map(|number| format!("record {number}"));
        assert!(bodies(&collector).into_iter().eq(expected), "{protocol}");
        let stats = pipeline.stats();
        assert!(stats.is_balanced(), "{stats:?}");
        assert_eq!((stats.recorded, stats.delivered), (700, 700));
        assert_eq!(pipeline.signal(), Signal::Logs);
    }
}

#[test]
fn rejected_and_refused_log_records_are_counted_and_named_in_errors() {
    for protocol in [Protocol::HttpProtobuf, Protocol::Grpc] {
        let collector = Collector::scripted(protocol, |call| match call {
            0 => Reply::TakeBut(2),
            _ => Reply::Refuse,
        });
        let pipeline = Pipeline::builder()
            .with_signal(Signal::Logs)
            .with_otlp(collector.config_for(Signal::Logs))
            .with_resource(resource())
            .build()
            .unwrap();
        for (records, lost) in [(5, 2), (3, 3)] {
            for number in 0..records {
                let field = log_record(number);
                pipeline.record_encoded(&scope("checkout"), &field).unwrap();
            }
            let signal = Signal::Logs;
            let error = FlushError::Lost {
                signal,
                lost,
                cause: None,
            };
            assert!(error.to_string().contains("log records"), "{error}");
            assert_eq!(without_cause(pipeline.force_flush(LONG)), Err(error));
        }
        let stats = eventually(&pipeline, |stats| stats.pending() == 0);
        assert_eq!((stats.delivered, stats.rejected), (3, 2));
        assert_eq!(stats.dropped.total(), 3);
    }
}

#[test]
fn a_pipeline_for_logs_reads_the_variables_and_defaults_of_logs() {
    let defaults = BatchConfig::for_signal(Signal::Logs);
    assert_eq!(defaults.schedule_delay, Duration::from_secs(1));
    let variables = |name: &str| match name {
        "OTEL_BLRP_SCHEDULE_DELAY" => Some("250".to_owned()),
        "OTEL_BSP_SCHEDULE_DELAY" => Some("7".to_owned()),
        _ => None,
    };
    let (batch, ignored) = BatchConfig::from_vars_for(Signal::Logs, variables);
    assert_eq!(ignored, []);
    assert_eq!(batch.schedule_delay, Duration::from_millis(250));
    let (builder, ignored) = PipelineBuilder::from_vars_for(Signal::Logs, variables);
    assert_eq!(ignored, []);
    let pipeline = builder.build().unwrap();
    assert_eq!(pipeline.signal(), Signal::Logs);
    assert_eq!(pipeline.shutdown(LONG), Ok(()));
}
