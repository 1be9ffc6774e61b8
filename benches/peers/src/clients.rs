//! The peers.

mod emit;
mod fast_telemetry;
mod fastrace;
mod official;
mod tracing;
mod zerospan;

use crate::Workload;
use crate::decode::Dialect;
use benches::sink::{OfficialExporter, Sink};
use clap::ValueEnum;
use zerospan_export::SendError;

/// A peer, or one of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Peer {
    /// Our native calls.
    ZerospanNative,
    /// Ours through OpenTelemetry's traits.
    ZerospanOtel,
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
    fn flush(&self) -> Result<(), String>;
}

impl Peer {
    /// Returns the name of the command line.
    pub fn argument(self) -> String {
        let value = self.to_possible_value();
        value.map_or_else(String::new, |value| value.get_name().to_owned())
    }

    /// Returns the reason if this peer cannot do the workload.
    pub fn obstacle(self, workload: Workload) -> Option<&'static str> {
        match (self, workload) {
            (Self::FastTelemetry, Workload::Unsampled) => {
                Some("it has no sampler and only drops root spans under load")
            }
            (Self::EmitHttp, Workload::Events) => {
                Some("it exports an event within a span as a log record")
            }
            _ => None,
        }
    }

    /// Returns `true` if the peer sends to a receiver in another process.
    pub fn sends(self) -> bool {
        matches!(
            self,
            Self::ZerospanNativeHttp | Self::SdkHttp | Self::EmitHttp
        )
    }

    /// Returns `true` for ours.
    pub fn is_ours(self) -> bool {
        matches!(
            self,
            Self::ZerospanNative | Self::ZerospanOtel | Self::ZerospanNativeHttp
        )
    }

    /// Returns the number of spans between two flushes, which fit every default queue: the official SDK's holds 2,048, and
    /// fast-telemetry drops 31 of 32 spans while a thread has more than 1,024.
    pub(crate) fn spans(self) -> u64 {
        match self {
            Self::FastTelemetry => 1_000,
            _ => 2_000,
        }
    }

    pub(crate) fn dialect(self) -> Dialect {
        match self {
            Self::Fastrace => Dialect::Text,
            Self::Tracing => Dialect::Annotated,
            _ => Dialect::Plain,
        }
    }

    /// Sets the peer up to end in `sink`.
    pub(crate) fn in_memory(
        self,
        workload: Workload,
        sink: &Sink,
    ) -> Result<Box<dyn Client>, String> {
        let transport = sink.clone();
        let ours = zerospan_export::Pipeline::builder()
            .with_transport(move || Ok::<_, SendError>(transport.clone()));
        let exporter = OfficialExporter::new(sink);
        Ok(match self {
            Self::Sdk => Box::new(official::Official::new(workload, exporter)),
            Self::Tracing => Box::new(tracing::Tracing::new(workload, exporter)?),
            Self::Fastrace => Box::new(fastrace::Fastrace::new(workload, exporter)),
            Self::FastTelemetry => Box::new(fast_telemetry::FastTelemetry::new(sink)),
            Self::ZerospanOtel => Box::new(zerospan::Otel::new(workload, ours)?),
            _ => Box::new(zerospan::Native::new(workload, ours)?),
        })
    }

    /// Sets the peer up to send to `url`.
    pub(crate) fn over_http(
        self,
        workload: Workload,
        url: &str,
    ) -> Result<Box<dyn Client>, String> {
        Ok(match self {
            Self::SdkHttp => Box::new(official::Official::over_http(workload, url)?),
            Self::EmitHttp => Box::new(emit::Emit::new(workload, url)?),
            _ => Box::new(zerospan::Native::over_http(workload, url)?),
        })
    }
}
