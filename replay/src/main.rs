//! `cargo xtask replay FILE...`: sends traces from files in the JSON of Zipkin, Jaeger or OTLP through the tracer.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

use clap::{Parser, ValueEnum};
use replay::{
    Counts, Destination, ReplayError, check, read_delimited, read_spans, replay_spans, table,
};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use zerospan_export::{Compression, OtlpConfig, Protocol};

/// Send the spans of files in the JSON of Zipkin (v2), Jaeger or OTLP through the tracer, and check that nothing is lost.
#[derive(Debug, Parser)]
#[command(name = "replay", bin_name = "cargo xtask replay")]
struct Arguments {
    /// Files in JSON: Zipkin's v2 (a list of spans), Jaeger's (an object with `data`, as its API answers), or OTLP's (objects
    /// with `resourceSpans`, one or one in each line).
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The collector's URL; without it, the OTEL_EXPORTER_OTLP_* variables. With `--out` alone, nothing is sent.
    #[arg(long, value_name = "URL")]
    endpoint: Option<String>,
    /// The protocol: `http/protobuf` unless the environment sets another.
    #[arg(long)]
    protocol: Option<ProtocolArgument>,
    /// The compression of requests.
    #[arg(long)]
    compression: Option<CompressionArgument>,
    /// Write the requests to this file, each after its length; replaces the file.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ProtocolArgument {
    Grpc,
    #[value(name = "http/protobuf")]
    HttpProtobuf,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum CompressionArgument {
    None,
    Gzip,
}

fn main() -> ExitCode {
    let mut rows = Vec::new();
    let outcome = run(&Arguments::parse(), &mut rows);
    if !rows.is_empty() {
        print!("{}", table(&rows));
    }
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Replays one file after the other, up to the first that fails.
fn run(arguments: &Arguments, rows: &mut Vec<(String, Counts)>) -> Result<(), ReplayError> {
    // All files are read before the first span is sent: a malformed one sends nothing.
    let mut files = Vec::new();
    for path in &arguments.files {
        let name = path.display().to_string();
        files.push((path, read_spans(&name, &read(path)?)?));
    }
    if let Some(path) = &arguments.out {
        let out = path.canonicalize().ok();
        if out.is_some()
            && arguments
                .files
                .iter()
                .any(|file| file.canonicalize().ok() == out)
        {
            let message = "is one of the files to be read: give `--out` another";
            return Err(failure(path, std::io::Error::other(message)));
        }
        fs::write(path, []).map_err(|cause| failure(path, cause))?;
    }
    let destinations = destinations(arguments);
    let mut given = Vec::new();
    for (path, spans) in &files {
        let (counts, outcome) = replay_spans(spans, &destinations);
        let name = path.file_name().unwrap_or(path.as_os_str());
        rows.push((name.to_string_lossy().into_owned(), counts));
        outcome?;
        given.extend(spans.iter().cloned());
    }
    if let Some(path) = &arguments.out {
        check(&given, &read_delimited(&read(path)?)?)?;
    }
    Ok(())
}

fn destinations(arguments: &Arguments) -> Vec<Destination> {
    let mut destinations = Vec::new();
    if let Some(path) = &arguments.out {
        destinations.push(Destination::File(path.clone()));
    }
    let collector_is_named = arguments.endpoint.is_some()
        || arguments.protocol.is_some()
        || arguments.compression.is_some();
    if collector_is_named || arguments.out.is_none() {
        let mut config = OtlpConfig::from_env();
        if let Some(url) = &arguments.endpoint {
            config = config.with_endpoint(url);
        }
        config = match arguments.protocol {
            None => config,
            Some(ProtocolArgument::Grpc) => config.with_protocol(Protocol::Grpc),
            Some(ProtocolArgument::HttpProtobuf) => config.with_protocol(Protocol::HttpProtobuf),
        };
        config = match arguments.compression {
            None => config,
            Some(CompressionArgument::None) => config.with_compression(Compression::None),
            Some(CompressionArgument::Gzip) => config.with_compression(Compression::Gzip),
        };
        destinations.push(Destination::Otlp(Box::new(config)));
    }
    destinations
}

fn read(path: &Path) -> Result<Vec<u8>, ReplayError> {
    fs::read(path).map_err(|cause| failure(path, cause))
}

fn failure(path: &Path, cause: std::io::Error) -> ReplayError {
    ReplayError::File {
        path: path.to_path_buf(),
        cause,
    }
}
