use std::fmt;
use std::time::Duration;

/// A signal of OpenTelemetry: everything in which exporting one differs from exporting another.
///
/// The messages of OTLP need no entry here: request, resource and scope have the same field numbers in each signal, and
/// so has the partial success of a response.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Signal {
    /// Spans.
    Traces,
    /// Log records.
    Logs,
}

/// The defaults of a signal's batch processor, as the specification lists them.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchDefaults {
    /// The longest time that an item waits before it is sent.
    pub schedule_delay: Duration,
    /// The longest time that the export of one request takes, retries included.
    pub export_timeout: Duration,
    /// The number of items that may wait to be sent.
    pub max_queue_size: usize,
    /// The number of items in one request.
    pub max_export_batch_size: usize,
}

impl Signal {
    /// Returns the name of the signal: `traces` or `logs`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Traces => "traces",
            Self::Logs => "logs",
        }
    }

    /// Returns the path of OTLP/HTTP requests after the base URL, such as `v1/traces`.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Traces => "v1/traces",
            Self::Logs => "v1/logs",
        }
    }

    /// Returns the path of the gRPC method `Export` of the signal's service.
    pub const fn grpc_method(self) -> &'static str {
        match self {
            Self::Traces => "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
            Self::Logs => "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
        }
    }

    /// Returns the signal's part of the name of an exporter variable: `TRACES` in
    /// `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`.
    pub const fn variable_infix(self) -> &'static str {
        match self {
            Self::Traces => "TRACES",
            Self::Logs => "LOGS",
        }
    }

    /// Returns what the names of the batch processor's variables begin with: `OTEL_BSP_` or `OTEL_BLRP_`.
    pub const fn batch_variable_prefix(self) -> &'static str {
        match self {
            Self::Traces => "OTEL_BSP_",
            Self::Logs => "OTEL_BLRP_",
        }
    }

    /// Returns the specification's defaults for the batch processor.
    pub const fn batch_defaults(self) -> BatchDefaults {
        BatchDefaults {
            schedule_delay: match self {
                Self::Traces => Duration::from_secs(5),
                Self::Logs => Duration::from_secs(1),
            },
            export_timeout: Duration::from_secs(30),
            max_queue_size: 2048,
            max_export_batch_size: 512,
        }
    }

    /// Returns the name of one item, for messages: `span` or `log record`.
    pub const fn item(self) -> &'static str {
        match self {
            Self::Traces => "span",
            Self::Logs => "log record",
        }
    }

    /// Returns the name of several items, for messages: `spans` or `log records`.
    pub const fn items(self) -> &'static str {
        match self {
            Self::Traces => "spans",
            Self::Logs => "log records",
        }
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
