//! The command line.

use crate::services::{Peers, Service};
use clap::{Args, Parser, Subcommand, ValueEnum};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Trace three services with zerospan and with the official SDK, draw a trace, and compare what tracing costs.
#[derive(Debug, Parser)]
#[command(name = "demo", disable_help_subcommand = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) task: Option<Task>,
    #[command(flatten)]
    pub(crate) options: Options,
}

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The number of requests to each side.
    #[arg(long, default_value_t = 10_000, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    pub(crate) requests: u32,
    /// A collector to send to, instead of the built-in receiver: `http://localhost:4318` or, with `--protocol grpc`, `http://localhost:4317`.
    #[arg(long, value_name = "URL", value_parser = endpoint)]
    pub(crate) endpoint: Option<String>,
    /// The protocol of the collector.
    #[arg(
        long,
        value_name = "PROTOCOL",
        default_value = "http/protobuf",
        requires = "endpoint"
    )]
    pub(crate) protocol: Protocol,
    /// Trace through OpenTelemetry's API, without the `tracing` crate.
    #[arg(long)]
    pub(crate) api: bool,
    /// Measure only the official SDK.
    #[arg(long)]
    pub(crate) official: bool,
    /// The folder for `report.html` and `report.json`.
    #[arg(
        long,
        value_name = "FOLDER",
        default_value = "target/demo",
        overrides_with = "out"
    )]
    pub(crate) out: PathBuf,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Task {
    /// Serve one service of one side, for the demo that started this process. Spans are exported as the environment says.
    #[command(hide = true)]
    Serve(Serve),
    /// Measure what tracing adds to the cost of a request, for the rows `service` of the benchmarks.
    #[command(hide = true)]
    Measure(Measure),
}

#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Measure {
    #[arg(long)]
    pub(crate) instrumentation: Instrumentation,
    /// Measure for a fraction of the time: figures scatter more.
    #[arg(long)]
    pub(crate) quick: bool,
}

#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Serve {
    #[arg(long)]
    pub(crate) side: Side,
    #[arg(long)]
    pub(crate) instrumentation: Instrumentation,
    #[arg(long)]
    pub(crate) service: Service,
    /// Export log records too.
    #[arg(long)]
    pub(crate) logs: bool,
    /// The services that the storefront calls.
    #[arg(long, required_if_eq("service", "storefront"))]
    pub(crate) catalog: Option<SocketAddr>,
    #[arg(long, required_if_eq("service", "storefront"))]
    pub(crate) pricing: Option<SocketAddr>,
}

impl Serve {
    /// Returns the services that the storefront calls. The others call none.
    pub(crate) fn peers(&self) -> Peers {
        let none = SocketAddr::from(([127, 0, 0, 1], 0));
        Peers {
            catalog: self.catalog.unwrap_or(none),
            pricing: self.pricing.unwrap_or(none),
        }
    }
}

/// The destination of the spans.
#[derive(Clone, Debug)]
pub(crate) struct Export {
    /// The URL, with its path.
    pub(crate) endpoint: String,
    pub(crate) protocol: Protocol,
    /// The URL for log records, with its path. Without it, there are none.
    pub(crate) logs_endpoint: Option<String>,
}

/// The tracing of the services.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Side {
    /// No tracing: the baseline.
    Untraced,
    /// The baseline with the headers of W3C propagation: a control side, which tells their cost from that of spans.
    Headers,
    Zerospan,
    /// `opentelemetry_sdk` and `opentelemetry-otlp`.
    Official,
}

impl Side {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Untraced => "untraced",
            Self::Headers => "headers",
            Self::Zerospan => "zerospan",
            Self::Official => "official",
        }
    }
}

/// The interface through which the services trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Instrumentation {
    /// The `tracing` crate, with a layer for OpenTelemetry.
    Tracing,
    /// OpenTelemetry's API, or the native calls of zerospan.
    Api,
}

impl Instrumentation {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Tracing => "tracing",
            Self::Api => "api",
        }
    }
}

impl Options {
    pub(crate) fn instrumentation(&self) -> Instrumentation {
        match self.api {
            true => Instrumentation::Api,
            false => Instrumentation::Tracing,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Protocol {
    #[value(name = "http/protobuf")]
    Http,
    #[value(name = "grpc")]
    Grpc,
}

impl Protocol {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Http => "http/protobuf",
            Self::Grpc => "grpc",
        }
    }
}

impl Export {
    /// Returns the destination for a base URL: OTLP/HTTP appends a path by convention, as for `OTEL_EXPORTER_OTLP_ENDPOINT`.
    pub(crate) fn to_collector(base: &str, protocol: Protocol) -> Self {
        let has_path = base
            .split_once("://")
            .is_some_and(|(_, rest)| rest.trim_end_matches('/').contains('/'));
        let endpoint = match protocol {
            Protocol::Http if !has_path => format!("{}/v1/traces", base.trim_end_matches('/')),
            _ => base.to_owned(),
        };
        Self {
            endpoint,
            protocol,
            logs_endpoint: None,
        }
    }
}

impl fmt::Display for Export {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.endpoint, self.protocol.name())
    }
}

fn endpoint(text: &str) -> Result<String, String> {
    let host = text.strip_prefix("http://").unwrap_or_default();
    if host.is_empty() || host.starts_with(['/', ':']) || host.contains(char::is_whitespace) {
        return Err(
            "expected a URL of the form http://HOST:PORT (the demo sends without TLS)".to_owned(),
        );
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{Arguments, Export, Protocol, endpoint};
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn the_conventional_path_is_appended_for_http_only() {
        let url = |base, protocol| Export::to_collector(base, protocol).endpoint;
        assert_eq!(
            url("http://localhost:4318", Protocol::Http),
            "http://localhost:4318/v1/traces"
        );
        assert_eq!(
            url("http://localhost:4318/", Protocol::Http),
            "http://localhost:4318/v1/traces"
        );
        assert_eq!(
            url("http://localhost:4318/my/traces", Protocol::Http),
            "http://localhost:4318/my/traces"
        );
        assert_eq!(
            url("http://localhost:4317", Protocol::Grpc),
            "http://localhost:4317"
        );
    }

    #[test]
    fn an_endpoint_that_is_no_http_url_is_rejected_with_the_remedy() {
        for text in [
            "",
            "localhost:4318",
            "https://localhost",
            "http://",
            "http://:1",
        ] {
            let refused = endpoint(text);
            assert!(
                refused.is_err_and(|message| message.contains("http://HOST:PORT")),
                "{text}"
            );
        }
    }
}
