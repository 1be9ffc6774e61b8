//! A provider that exports into memory, and its decoded records.

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs};
use prost::Message;
use zerospan_export::{InMemoryTransport, Pipeline, Signal};
use zerospan_logs::{Logger, LoggerProvider, LoggerProviderBuilder};

pub(crate) struct Rig {
    pub(crate) provider: LoggerProvider,
    pub(crate) logger: Logger,
    memory: InMemoryTransport,
}

impl Rig {
    pub(crate) fn new() -> Self {
        Self::with(|builder| builder)
    }

    pub(crate) fn with(setup: impl FnOnce(LoggerProviderBuilder) -> LoggerProviderBuilder) -> Self {
        Self::from_builder(setup(LoggerProvider::builder()))
    }

    pub(crate) fn from_builder(builder: LoggerProviderBuilder) -> Self {
        let (pipeline, memory) = pipeline();
        let provider = builder.with_exporter(pipeline).build();
        Self {
            logger: provider.logger("test"),
            provider,
            memory,
        }
    }

    /// Flushes, and returns what was exported since the last call.
    pub(crate) fn exported(&self) -> Vec<ResourceLogs> {
        // After the shutdown there is nothing left to flush.
        let _ = self.provider.force_flush();
        decode(&self.memory)
    }

    /// Flushes, and returns the records exported since the last call, in order of arrival, with their scopes.
    pub(crate) fn scoped_records(&self) -> Vec<(InstrumentationScope, LogRecord)> {
        flatten(self.exported())
    }

    pub(crate) fn records(&self) -> Vec<LogRecord> {
        let records = self.scoped_records().into_iter();
        records.map(|(_, record)| record).collect()
    }

    pub(crate) fn only_record(&self) -> LogRecord {
        let records = self.records();
        assert_eq!(records.len(), 1, "{records:#?}");
        records.into_iter().next().expect("one record")
    }
}

pub(crate) fn pipeline() -> (Pipeline, InMemoryTransport) {
    let memory = InMemoryTransport::new();
    let pipeline = Pipeline::builder()
        .with_signal(Signal::Logs)
        .with_transport(memory.clone())
        .build()
        .expect("the defaults are valid");
    (pipeline, memory)
}

pub(crate) fn decode(memory: &InMemoryTransport) -> Vec<ResourceLogs> {
    let decode = |body: Vec<u8>| {
        let request = ExportLogsServiceRequest::decode(&*body);
        request.expect("canonical protobuf").resource_logs
    };
    memory.take().into_iter().flat_map(decode).collect()
}

/// Returns the records with their scopes.
pub(crate) fn flatten(exported: Vec<ResourceLogs>) -> Vec<(InstrumentationScope, LogRecord)> {
    let mut records = Vec::new();
    for scope in exported.into_iter().flat_map(|logs| logs.scope_logs) {
        let of = scope.scope.unwrap_or_default();
        let scoped = scope.log_records.into_iter();
        records.extend(scoped.map(|record| (of.clone(), record)));
    }
    records
}

pub(crate) fn string(text: &str) -> AnyValue {
    AnyValue {
        value: Some(any_value::Value::StringValue(text.to_owned())),
    }
}

pub(crate) fn body(record: &LogRecord) -> &str {
    text(record.body.as_ref())
}

/// Returns the text of an attribute, or an empty one.
pub(crate) fn value<'a>(attributes: &'a [KeyValue], key: &str) -> &'a str {
    let found = attributes.iter().find(|attribute| attribute.key == key);
    text(found.and_then(|attribute| attribute.value.as_ref()))
}

fn text(value: Option<&AnyValue>) -> &str {
    match value.and_then(|value| value.value.as_ref()) {
        Some(any_value::Value::StringValue(text)) => text,
        _ => "",
    }
}
