//! TLS to a collector whose certificate is signed by a private CA: its file is the first argument, the URL the second.
//!
//! `cargo run -p zerospan --features trace,http --example tls -- ca.pem https://collector.example:4318/v1/traces`
#![allow(clippy::print_stdout)]

use opentelemetry::trace::TracerProvider as _;
use std::time::Duration;
use zerospan::export::{OtlpConfig, Pipeline};
use zerospan::trace::TracerProviderBuilder;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(authority), Some(endpoint)) = (arguments.next(), arguments.next()) else {
        return Err("pass the CA file and the URL of the collector".into());
    };
    // The same without code: OTEL_EXPORTER_OTLP_CERTIFICATE and OTEL_EXPORTER_OTLP_ENDPOINT, read by `from_env`. For mutual
    // TLS, add `.with_client_identity_files("client.pem", "client.key")`.
    let config = OtlpConfig::from_env()
        .with_endpoint(endpoint)
        .with_certificate_file(authority)
        .with_timeout(Duration::from_secs(5));
    let pipeline = Pipeline::builder().with_otlp(config).build()?;
    let provider = TracerProviderBuilder::from_env()
        .with_exporter(pipeline)
        .build();

    let mut span = provider.tracer("vault").span("open").start();
    span.set_dynamic("vault.name", "main");
    drop(span);

    provider.shutdown()?;
    println!(
        "{} span was delivered over TLS",
        provider.stats().exports[0].delivered
    );
    Ok(())
}
