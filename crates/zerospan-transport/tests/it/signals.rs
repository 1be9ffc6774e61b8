//! Each signal is sent to its own path, method and variables, and nothing here depends on spans.

use crate::collector::{Collector, Reply};
use crate::support::{LONG, from_for};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, any_value};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use prost::Message;
use std::time::{Duration, Instant};
use zerospan_transport::{
    Compression, Connect, ExportResponse, OtlpConfig, Protocol, Request, Signal,
};

const BOTH: [Protocol; 2] = [Protocol::HttpProtobuf, Protocol::Grpc];

/// Three log records of one scope.
fn log_request() -> ExportLogsServiceRequest {
    let record = |number: u64| LogRecord {
        time_unix_nano: number,
        severity_text: "WARN".to_owned(),
        body: Some(AnyValue {
            value: Some(any_value::Value::StringValue(format!("record {number}"))),
        }),
        ..LogRecord::default()
    };
    ExportLogsServiceRequest {
        resource_logs: vec![ResourceLogs {
            scope_logs: vec![ScopeLogs {
                scope: Some(InstrumentationScope {
                    name: "checkout".to_owned(),
                    ..InstrumentationScope::default()
                }),
                log_records: (0..3).map(record).collect(),
                ..ScopeLogs::default()
            }],
            ..ResourceLogs::default()
        }],
    }
}

fn send_logs(config: &OtlpConfig) -> ExportResponse {
    let body = log_request().encode_to_vec();
    let deadline = Instant::now() + LONG;
    let connector = config.connector(Signal::Logs).unwrap();
    let mut transport = connector.connect().unwrap();
    transport
        .send(&Request::new(Signal::Logs, &body, 3, deadline))
        .unwrap()
}

#[test]
fn log_records_arrive_over_each_protocol() {
    for protocol in BOTH {
        for compression in [Compression::None, Compression::Gzip] {
            let collector = Collector::start(protocol);
            let config = collector.config_for(Signal::Logs);
            let response = send_logs(&config.with_compression(compression));
            assert_eq!(response, ExportResponse::ALL);
            let requests = collector.requests();
            let received = ExportLogsServiceRequest::decode(&requests[0][..]).unwrap();
            assert_eq!(received, log_request());
            if protocol == Protocol::HttpProtobuf {
                assert!(collector.heads()[0].starts_with("POST /v1/logs "));
            }
        }
    }
}

#[test]
fn rejected_log_records_are_counted_over_each_protocol() {
    for protocol in BOTH {
        let collector = Collector::scripted(protocol, |_| Reply::TakeBut(2));
        let response = send_logs(&collector.config_for(Signal::Logs));
        assert_eq!(response, ExportResponse::partial(2, "not those"));
    }
}

#[test]
fn the_variables_of_a_signal_win_over_the_general_ones_and_the_path_is_the_signals() {
    let collector = Collector::start(Protocol::HttpProtobuf);
    let base = format!("http://{}/otlp", collector.address);
    let (config, errors) = from_for(
        Signal::Logs,
        &[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", &base),
            ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://127.0.0.1:1"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "key=general"),
            ("OTEL_EXPORTER_OTLP_LOGS_HEADERS", "key=logs"),
            ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "key=traces"),
            ("OTEL_EXPORTER_OTLP_LOGS_TIMEOUT", "1234"),
        ],
    );
    assert_eq!(errors, []);
    assert_eq!(config.timeout(), Duration::from_millis(1234));
    send_logs(&config);
    let head = collector.heads().remove(0);
    assert!(head.starts_with("POST /otlp/v1/logs "), "{head}");
    assert!(head.contains("key: logs\r\n"), "{head}");
}

#[test]
fn the_defaults_of_a_signals_batch_are_those_of_the_specification() {
    for (signal, prefix, delay) in [
        (Signal::Traces, "OTEL_BSP_", 5000),
        (Signal::Logs, "OTEL_BLRP_", 1000),
    ] {
        assert_eq!(signal.batch_variable_prefix(), prefix);
        let defaults = signal.batch_defaults();
        assert_eq!(defaults.schedule_delay, Duration::from_millis(delay));
        assert_eq!(defaults.export_timeout, Duration::from_secs(30));
        assert_eq!(defaults.max_queue_size, 2048);
        assert_eq!(defaults.max_export_batch_size, 512);
    }
}

#[test]
fn messages_name_a_signal_and_its_items() {
    for (signal, name, item, items) in [
        (Signal::Traces, "traces", "span", "spans"),
        (Signal::Logs, "logs", "log record", "log records"),
    ] {
        assert_eq!((signal.name(), signal.to_string()), (name, name.to_owned()));
        assert_eq!((signal.item(), signal.items()), (item, items));
    }
}
