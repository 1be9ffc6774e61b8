//! Checks that with any environment the pipeline works and reveals no secret, and that settings in code are at worst an error.
#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use opentelemetry::InstrumentationScope;
use std::time::Duration;
use zerospan_export::{BatchConfig, ConfigError, InMemoryTransport, OtlpConfig, Pipeline, Protocol, Scope};

/// Settings as a hostile or careless hand writes them. Certificates are not named by the environment here: a path may lead
/// anywhere.
#[derive(Arbitrary, Debug)]
struct Settings {
    variables: Vec<(Variable, Said)>,
    endpoint: Option<String>,
    header: Option<(String, String)>,
    certificate: Option<Vec<u8>>,
    identity: Option<(Vec<u8>, Vec<u8>)>,
    grpc: bool,
    batch: [u32; 5],
}

#[derive(Arbitrary, Clone, Copy, Debug, PartialEq)]
enum Variable {
    Endpoint,
    TracesEndpoint,
    Protocol,
    TracesProtocol,
    Headers,
    TracesHeaders,
    Compression,
    TracesTimeout,
    Timeout,
    ScheduleDelay,
    ExportTimeout,
    MaxQueueSize,
    MaxExportBatchSize,
}

impl Variable {
    fn name(self) -> &'static str {
        match self {
            Self::Endpoint => "OTEL_EXPORTER_OTLP_ENDPOINT",
            Self::TracesEndpoint => "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
            Self::Protocol => "OTEL_EXPORTER_OTLP_PROTOCOL",
            Self::TracesProtocol => "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
            Self::Headers => "OTEL_EXPORTER_OTLP_HEADERS",
            Self::TracesHeaders => "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
            Self::Compression => "OTEL_EXPORTER_OTLP_COMPRESSION",
            Self::TracesTimeout => "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT",
            Self::Timeout => "OTEL_EXPORTER_OTLP_TIMEOUT",
            Self::ScheduleDelay => "OTEL_BSP_SCHEDULE_DELAY",
            Self::ExportTimeout => "OTEL_BSP_EXPORT_TIMEOUT",
            Self::MaxQueueSize => "OTEL_BSP_MAX_QUEUE_SIZE",
            Self::MaxExportBatchSize => "OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
        }
    }
}

/// The value of a variable: arbitrary, or nearly valid.
#[derive(Arbitrary, Clone, Debug)]
enum Said {
    Anything(String),
    Number(u64),
    Word(u8),
    Url { host: String, path: String, tls: bool },
    /// A URL with a password in it.
    Login { scheme: String, user: String, host: String },
    /// A header's name, and what stands around its secret value.
    Secret { name: String, before: String, behind: String },
}

const SECRET: &str = "s3cr3t-t0k3n";
const WORDS: [&str; 6] = ["grpc", "http/protobuf", "gzip", "none", "", "http/json"];

impl Said {
    fn text(&self) -> String {
        // What would end the value, or the part of the URL, in the midst of the secret.
        let plain = |text: &str| text.replace([',', '='], "");
        match self {
            Self::Anything(text) => text.replace(SECRET, ""),
            Self::Number(number) => number.to_string(),
            Self::Word(index) => WORDS[usize::from(*index) % WORDS.len()].to_owned(),
            Self::Url { host, path, tls } => {
                format!("http{}://{host}{path}", if *tls { "s" } else { "" })
            }
            Self::Login { scheme, user, host } => format!("{scheme}://{user}:{SECRET}@{host}"),
            Self::Secret {
                name,
                before,
                behind,
            } => format!(
                "{}={}{SECRET}{}",
                plain(name),
                plain(before),
                plain(behind)
            ),
        }
    }

    /// Reports whether the value belongs in this variable: a secret in any other variable is shown.
    fn belongs_in(&self, variable: Variable) -> bool {
        match self {
            Self::Secret { .. } => {
                matches!(variable, Variable::Headers | Variable::TracesHeaders)
            }
            Self::Login { .. } => {
                matches!(variable, Variable::Endpoint | Variable::TracesEndpoint)
            }
            _ => true,
        }
    }
}

fuzz_target!(|settings: Settings| {
    let lookup = |name: &str| {
        let said = |(variable, said): &&(Variable, Said)| {
            variable.name() == name && said.belongs_in(*variable)
        };
        settings.variables.iter().find(said).map(|(_, said)| said.text())
    };
    let (otlp, of_otlp) = OtlpConfig::from_vars(lookup);
    let (batch, of_batch) = BatchConfig::from_vars(lookup);
    for error in of_otlp.iter().chain(&of_batch) {
        explains_itself(error);
        assert!(error.setting().starts_with("OTEL_"));
    }
    assert!(!format!("{otlp:?}").contains(SECRET), "{otlp:?}");
    delivers(otlp.clone(), batch);
    by_code(otlp, batch, settings);
});

/// Builds a pipeline: no environment may prevent that.
fn delivers(otlp: OtlpConfig, batch: BatchConfig) {
    let memory = InMemoryTransport::new();
    let pipeline = Pipeline::builder()
        .with_otlp(otlp)
        .with_batch(batch)
        .with_transport(memory.clone())
        .without_worker()
        .build()
        .unwrap_or_else(|error| panic!("{error}"));
    let scope = Scope::new(&InstrumentationScope::builder("fuzz").build());
    for _ in 0..3 {
        if pipeline.should_flush() {
            pipeline.force_flush(Duration::from_secs(5)).expect("memory takes all");
        }
        pipeline.record_encoded(&scope, b"\x12\x02\x2a\x00").expect("there is room");
    }
    pipeline.shutdown(Duration::from_secs(5)).expect("memory takes all");
    assert_eq!(pipeline.stats().delivered, 3);
    assert!(!memory.is_empty());
}

/// Applies settings in code: each takes effect or is an error.
fn by_code(mut otlp: OtlpConfig, mut batch: BatchConfig, settings: Settings) {
    if settings.grpc {
        otlp = otlp.with_protocol(Protocol::Grpc);
    }
    if let Some(url) = settings.endpoint {
        otlp = otlp.with_endpoint(url);
    }
    if let Some((name, value)) = settings.header {
        otlp = otlp.with_header(&name, &format!("{value}{SECRET}"));
    }
    if let Some(pem) = settings.certificate {
        otlp = otlp.with_certificate_pem(pem);
    }
    if let Some((certificate, key)) = settings.identity {
        otlp = otlp.with_client_identity_pem(certificate, key);
    }
    let [queue, spans, request, memory, chunk] = settings.batch.map(|size| size as usize);
    batch.max_queue_size = Some(queue);
    batch.max_export_batch_size = Some(spans);
    batch.max_request_bytes = request;
    batch.max_memory_bytes = memory;
    batch.chunk_bytes = chunk;
    if let Err(error) = Pipeline::builder().with_otlp(otlp).with_batch(batch).build() {
        explains_itself(&error);
    }
}

fn explains_itself(error: &ConfigError) {
    assert!(!error.setting().is_empty() && !error.accepted().is_empty());
    assert!(!error.to_string().contains(SECRET), "{error}");
}
