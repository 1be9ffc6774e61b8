//! What a user could pick instead, on the same work, each in a process of its own: `cargo xtask bench --peers`.
//!
//! The program `peers` starts a process for each figure and makes a [`Table`] of what they print. Most peers end in OTLP
//! bytes in memory: those that go through the stock SDK's exporters do what the official ones do up to the bytes. emit can
//! only send, and so it goes over HTTP to a receiver in another process, and two others beside it for comparison. What a
//! peer adds to a span of its own accord (thread, source line, level) is switched off where it can be.

#[cfg(feature = "peers")]
mod crew;
#[cfg(feature = "peers")]
mod decode;
#[cfg(feature = "peers")]
mod emit;
#[cfg(feature = "peers")]
mod fast_telemetry;
#[cfg(feature = "peers")]
mod fastrace;
#[cfg(feature = "peers")]
mod measure;
#[cfg(feature = "peers")]
mod receiver;
#[cfg(feature = "peers")]
mod sdk;
#[cfg(feature = "peers")]
mod sink;
mod table;
#[cfg(feature = "peers")]
mod tracing;
mod work;
#[cfg(feature = "peers")]
mod zerospan;

#[cfg(feature = "peers")]
pub use measure::{Counts, Times, count_and_print, time_and_print};
#[cfg(feature = "peers")]
pub use receiver::receive;
pub use table::{Allocator, Entry, Figures, Table};
pub use work::Work;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// Who does the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Peer {
    /// Ours, through native calls.
    ZerospanNative,
    /// Ours, through the traits of OpenTelemetry.
    ZerospanOtel,
    /// The stock SDK, its batch processor, the official transform and prost.
    Sdk,
    /// The macros of `tracing`, over the stock SDK.
    Tracing,
    /// fastrace with its reporter for OpenTelemetry.
    Fastrace,
    /// fast-telemetry with its own encoder.
    FastTelemetry,
    /// Ours, through native calls and over HTTP.
    ZerospanNativeHttp,
    /// The stock SDK with its exporter over HTTP.
    SdkHttp,
    /// emit with `emit_otlp`, over HTTP.
    Emit,
}

impl Peer {
    /// Why this peer cannot do `work`, if it cannot.
    pub fn obstacle(self, work: Work) -> Option<&'static str> {
        match (self, work) {
            (Self::FastTelemetry, Work::Unsampled) => {
                Some("fast-telemetry has no sampler: it thins out root spans under load alone")
            }
            (Self::Emit, Work::Events) => Some(
                "emit_otlp makes an event within a span a log record, and no event of the span",
            ),
            _ => None,
        }
    }

    /// Whether it sends over HTTP to a receiver in another process; the others end in memory.
    pub fn sends(self) -> bool {
        matches!(self, Self::ZerospanNativeHttp | Self::SdkHttp | Self::Emit)
    }

    /// Whether it is one of ours.
    pub fn is_ours(self) -> bool {
        matches!(
            self,
            Self::ZerospanNative | Self::ZerospanOtel | Self::ZerospanNativeHttp
        )
    }

    /// Spans that are recorded between two flushes, so that none of a peer's queues in its default settings overflows: the
    /// stock SDK's takes 2,048, and fast-telemetry drops 31 of 32 once a thread has more than 1,024 waiting.
    #[cfg(feature = "peers")]
    fn spans(self) -> u64 {
        match self {
            Self::FastTelemetry => 1_000,
            _ => 2_000,
        }
    }

    /// How this peer says what is the same work.
    #[cfg(feature = "peers")]
    fn dialect(self) -> decode::Dialect {
        match self {
            Self::Fastrace => decode::Dialect::Text,
            Self::Tracing => decode::Dialect::Annotated,
            _ => decode::Dialect::Plain,
        }
    }
}
