//! The peers.

mod emit;
mod fast_telemetry;
mod fastrace;
mod logs;
mod official;
mod tracing;
mod zerospan;

use crate::Workload;
use benches::sink::{OfficialExporter, Sink};
use clap::ValueEnum;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::trace::v1::Span;
use zerospan_export::{OtlpConfig, Pipeline, SendError};

/// A peer, or one of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Peer {
    /// Our native calls.
    ZerospanNative,
    /// Ours through OpenTelemetry's traits.
    ZerospanOtel,
    /// Ours through the macros of `tracing`.
    ZerospanTracing,
    /// The official SDK, its batch processor, the official transform and prost.
    Sdk,
    /// The macros of `tracing` over the official SDK.
    Tracing,
    /// fastrace with its reporter for OpenTelemetry.
    Fastrace,
    /// fast-telemetry with its encoder.
    FastTelemetry,
    /// Our native calls, over HTTP.
    ZerospanNativeHttp,
    /// The official SDK and its exporter over HTTP.
    SdkHttp,
    /// emit with `emit_otlp`, over HTTP.
    EmitHttp,
}

/// A peer that is set up.
pub(crate) trait Client: Send + Sync {
    /// Does the workload `times` times on this thread.
    fn record(&self, workload: Workload, times: u64);

    /// Hands over what this thread buffers, if a flush from another thread does not reach it.
    fn flush_thread(&self) {}

    /// Waits until all recorded spans are delivered.
    fn flush(&self) -> anyhow::Result<()>;
}

impl Peer {
    /// Returns the reason if this peer cannot do the workload.
    pub fn obstacle(self, workload: Workload) -> Option<&'static str> {
        match (self, workload) {
            (Self::FastTelemetry, Workload::Unsampled) => {
                Some("it has no sampler and only drops root spans under load")
            }
            (Self::Fastrace | Self::FastTelemetry, Workload::Logs) => {
                Some("it has no logs, only the events of spans")
            }
            (Self::EmitHttp, Workload::Events) => {
                Some("it exports an event within a span as a log record")
            }
            _ => None,
        }
    }

    /// Returns ours that ends at the same place: in memory, or at a receiver in another process.
    pub fn reference(self) -> Self {
        match self {
            Self::ZerospanNativeHttp | Self::SdkHttp | Self::EmitHttp => Self::ZerospanNativeHttp,
            _ => Self::ZerospanNative,
        }
    }

    /// Returns the number of spans between two flushes, which fit every default queue: the official SDK's holds 2,048, and
    /// fast-telemetry drops 31 of 32 spans while a thread has more than 1,024.
    pub(crate) fn spans(self) -> u64 {
        match self {
            Self::FastTelemetry => 1_000,
            _ => 2_000,
        }
    }

    /// Sets the peer up to end in `sink`.
    pub(crate) fn in_memory(
        self,
        workload: Workload,
        sink: &Sink,
    ) -> anyhow::Result<Box<dyn Client>> {
        let transport = sink.clone();
        let ours =
            Pipeline::builder().with_transport(move || Ok::<_, SendError>(transport.clone()));
        let exporter = OfficialExporter::new(sink);
        if workload.is_logs() {
            return Ok(match self {
                Self::Sdk => Box::new(logs::official(exporter)),
                Self::Tracing => Box::new(logs::official_bridge(exporter)?),
                Self::ZerospanTracing => Box::new(logs::layer(ours)?),
                Self::ZerospanOtel => Box::new(logs::ours(ours)?),
                _ => Box::new(logs::native(ours)?),
            });
        }
        Ok(match self {
            Self::Sdk => Box::new(official::Official::new(workload, exporter)),
            Self::Tracing => Box::new(tracing::Tracing::official(workload, exporter)?),
            Self::ZerospanTracing => Box::new(tracing::Tracing::ours(workload, ours)?),
            Self::Fastrace => Box::new(fastrace::Fastrace::new(workload, exporter)),
            Self::FastTelemetry => Box::new(fast_telemetry::FastTelemetry::new(sink)),
            Self::ZerospanOtel => Box::new(zerospan::Zerospan::new(workload, ours, false)?),
            _ => Box::new(zerospan::Zerospan::new(workload, ours, true)?),
        })
    }

    /// Sets the peer up to send to `url`.
    pub(crate) fn over_http(
        self,
        workload: Workload,
        url: &str,
    ) -> anyhow::Result<Box<dyn Client>> {
        let ours = Pipeline::builder().with_otlp(OtlpConfig::new().with_endpoint(url));
        if workload.is_logs() {
            return Ok(match self {
                Self::SdkHttp => Box::new(logs::official_over_http(url)?),
                Self::EmitHttp => Box::new(emit::Emit::for_logs(url)?),
                _ => Box::new(logs::native(ours)?),
            });
        }
        Ok(match self {
            Self::SdkHttp => Box::new(official::Official::over_http(workload, url)?),
            Self::EmitHttp => Box::new(emit::Emit::new(workload, url)?),
            _ => Box::new(zerospan::Zerospan::new(workload, ours, true)?),
        })
    }

    /// Removes what peers write differently in a log record: the order of attributes, the source line, emit's severity in
    /// lower case, and the official bridge's name, which is the source line too.
    pub(crate) fn normalize_log(record: &mut LogRecord) {
        record.severity_text.make_ascii_uppercase();
        if record.event_name.starts_with("event ") {
            record.event_name.clear();
        }
        let attributes = &mut record.attributes;
        attributes.retain(|attribute| !attribute.key.starts_with("code."));
        attributes.sort_by(|a, b| a.key.cmp(&b.key));
    }

    /// Removes what peers write differently and cannot be made to write alike: kind, flags, status, the order of
    /// attributes, fastrace's numbers as text, and the level and target of the events of `tracing`.
    pub(crate) fn normalize(self, span: &mut Span) {
        let normalize = |attributes: &mut Vec<KeyValue>| {
            attributes.sort_by(|a, b| a.key.cmp(&b.key));
            for attribute in attributes.iter_mut() {
                if let Some(AnyValue { value: Some(value) }) = &mut attribute.value
                    && let Value::IntValue(number) = value
                {
                    *value = Value::StringValue(number.to_string());
                }
            }
        };
        span.kind = 0;
        span.flags = 0;
        span.status = None;
        normalize(&mut span.attributes);
        for event in &mut span.events {
            if matches!(self, Self::Tracing | Self::ZerospanTracing) {
                let is_added = |key: &str| key == "level" || key == "target";
                event.attributes.retain(|added| !is_added(&added.key));
            }
            normalize(&mut event.attributes);
        }
    }
}
