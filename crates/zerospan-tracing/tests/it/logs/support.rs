//! A layer whose events and spans arrive in memory.

use crate::support::{Rig, Spans, try_value};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use prost::Message;
use tracing::Dispatch;
use tracing_subscriber::Registry;
use tracing_subscriber::layer::SubscriberExt;
use zerospan_export::{InMemoryTransport, Pipeline, Signal};
use zerospan_logs::{LoggerProvider, LoggerProviderBuilder};
use zerospan_tracing::TraceLayer;

/// A provider of tracers and one of loggers.
pub(crate) struct LogRig {
    pub(crate) traces: Rig,
    pub(crate) logs: LoggerProvider,
    memory: InMemoryTransport,
}

/// A log record as it was exported, with the name of its scope.
#[derive(Clone, Debug)]
pub(crate) struct Log {
    pub(crate) scope: String,
    pub(crate) record: LogRecord,
}

impl LogRig {
    pub(crate) fn new() -> Self {
        Self::with(Rig::new(), |builder| builder)
    }

    pub(crate) fn with(
        traces: Rig,
        setup: impl FnOnce(LoggerProviderBuilder) -> LoggerProviderBuilder,
    ) -> Self {
        let memory = InMemoryTransport::new();
        let pipeline = Pipeline::builder()
            .with_signal(Signal::Logs)
            .with_transport(memory.clone())
            .build()
            .expect("the defaults are valid");
        let logs = setup(LoggerProvider::builder())
            .with_exporter(pipeline)
            .build();
        Self {
            traces,
            logs,
            memory,
        }
    }

    /// Returns a layer of both providers.
    pub(crate) fn layer(&self) -> TraceLayer {
        zerospan_tracing::layer(&self.traces.provider).with_logs(&self.logs)
    }

    /// Runs `work` under a registry with a layer of both providers, and returns the log records.
    pub(crate) fn run(&self, work: impl FnOnce()) -> Vec<Log> {
        self.run_with(|layer| layer, work)
    }

    /// Runs `work` under a registry with a layer of both providers that `setup` changes, and returns the log records.
    pub(crate) fn run_with(
        &self,
        setup: impl FnOnce(TraceLayer) -> TraceLayer,
        work: impl FnOnce(),
    ) -> Vec<Log> {
        let subscriber = Registry::default().with(setup(self.layer()));
        tracing::dispatcher::with_default(&Dispatch::new(subscriber), work);
        self.logs()
    }

    /// Flushes, and returns the log records exported since the last call, in order of arrival.
    pub(crate) fn logs(&self) -> Vec<Log> {
        let _ = self.logs.force_flush();
        let requests = self.memory.take();
        let requests = requests
            .iter()
            .map(|body| ExportLogsServiceRequest::decode(&**body).expect("canonical protobuf"));
        requests
            .flat_map(|request| request.resource_logs)
            .flat_map(|resource| resource.scope_logs)
            .flat_map(|scope| {
                let name = scope.scope.unwrap_or_default().name;
                scope.log_records.into_iter().map(move |record| Log {
                    scope: name.clone(),
                    record,
                })
            })
            .collect()
    }

    /// Flushes, and returns the spans.
    pub(crate) fn spans(&self) -> Spans {
        self.traces.spans()
    }
}

impl Log {
    /// Returns the text of the body, or an empty one.
    pub(crate) fn body(&self) -> &str {
        match self
            .record
            .body
            .as_ref()
            .and_then(|body| body.value.as_ref())
        {
            Some(Value::StringValue(text)) => text,
            None => "",
            other => panic!("no text: {other:?}"),
        }
    }

    /// Returns the value of an attribute, which must not be there twice.
    #[track_caller]
    pub(crate) fn get(&self, key: &str) -> Option<Value> {
        try_value(&self.record.attributes, key)
    }

    pub(crate) fn keys(&self) -> Vec<&str> {
        let attributes = self.record.attributes.iter();
        attributes.map(|attribute| &*attribute.key).collect()
    }

    /// Returns the trace id and the span id, which are empty without a span.
    pub(crate) fn ids(&self) -> (&[u8], &[u8]) {
        (&self.record.trace_id, &self.record.span_id)
    }
}

/// Runs `work` under a registry with the layer, and returns the log records.
pub(crate) fn logged(work: impl FnOnce()) -> Vec<Log> {
    LogRig::new().run(work)
}

#[track_caller]
pub(crate) fn only(logs: &[Log]) -> &Log {
    match logs {
        [log] => log,
        logs => panic!("not one record: {logs:#?}"),
    }
}

/// Returns the record with that body.
#[track_caller]
pub(crate) fn of<'a>(logs: &'a [Log], body: &str) -> &'a Log {
    let mut found = logs.iter().filter(|log| log.body() == body);
    match (found.next(), found.next()) {
        (Some(log), None) => log,
        _ => panic!("not one record {body:?}: {logs:#?}"),
    }
}
