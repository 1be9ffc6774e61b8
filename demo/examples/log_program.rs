//! A program that logs, exported by zerospan or by the official SDK: `cargo xtask e2e --only programs` compares what a receiver
//! decodes of both.
//!
//! `cargo run -p demo --example log_program -- tracing zerospan` exports as the variables `OTEL_EXPORTER_OTLP_*` say.

use anyhow::{Context as _, bail};
use opentelemetry::logs::{AnyValue, LogRecord, Logger, LoggerProvider as _, Severity};
use opentelemetry::trace::{SpanId, TraceFlags, TraceId, TracerProvider as _};
use opentelemetry_appender_log::OpenTelemetryLogBridge;
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_sdk::logs::SdkLoggerProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use std::error::Error;
use std::fmt;
use std::time::{Duration, SystemTime};
use tracing::Subscriber;
use tracing_subscriber::filter::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use zerospan_export::{PipelineBuilder, Signal};
use zerospan_logs::LoggerProviderBuilder;
use zerospan_trace::TracerProviderBuilder;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let &[program, side] = &*arguments else {
        bail!("log_program log|log-through-tracing|tracing|api zerospan|official");
    };
    match side {
        "zerospan" => zerospan(program),
        "official" => official(program),
        _ => bail!("no side is called {side}"),
    }
}

fn zerospan(program: &str) -> anyhow::Result<()> {
    let logs = LoggerProviderBuilder::from_env()
        .with_exporter(PipelineBuilder::from_env_for(Signal::Logs).build()?)
        .build();
    let traces = TracerProviderBuilder::from_env()
        .with_exporter(PipelineBuilder::from_env().build()?)
        .build();
    let layer = zerospan_tracing::layer(&traces).with_logs(&logs);
    match program {
        "log" => with_log(OpenTelemetryLogBridge::new(&logs))?,
        "log-through-tracing" => {
            subscriber(layer).try_init()?;
            log_records();
        }
        "tracing" => {
            subscriber(layer).try_init()?;
            events();
        }
        "api" => api(&logs.logger("shop")),
        _ => bail!("no program is called {program}"),
    }
    traces.shutdown()?;
    logs.shutdown()?;
    Ok(())
}

fn official(program: &str) -> anyhow::Result<()> {
    let logs = SdkLoggerProvider::builder()
        .with_batch_exporter(opentelemetry_otlp::LogExporter::builder().build()?)
        .build();
    let traces = SdkTracerProvider::builder()
        .with_batch_exporter(opentelemetry_otlp::SpanExporter::builder().build()?)
        .build();
    let bridge = OpenTelemetryTracingBridge::new(&logs);
    let layer = tracing_opentelemetry::layer().with_tracer(traces.tracer("shop"));
    match program {
        "log" => with_log(OpenTelemetryLogBridge::new(&logs))?,
        "log-through-tracing" => {
            subscriber(layer).with(bridge).try_init()?;
            log_records();
        }
        "tracing" => {
            subscriber(layer).with(bridge).try_init()?;
            events();
        }
        "api" => api(&logs.logger("shop")),
        _ => bail!("no program is called {program}"),
    }
    traces.shutdown()?;
    logs.shutdown()?;
    Ok(())
}

/// Returns a subscriber that passes what the programs log, and nothing of the exporters' clients.
fn subscriber<L>(layer: L) -> impl Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>
where
    L: tracing_subscriber::Layer<
            tracing_subscriber::layer::Layered<EnvFilter, tracing_subscriber::Registry>,
        > + Send
        + Sync,
{
    tracing_subscriber::registry()
        .with(EnvFilter::new("off,shop=trace"))
        .with(layer)
}

fn with_log(bridge: impl log::Log + 'static) -> anyhow::Result<()> {
    log::set_boxed_logger(Box::new(bridge)).context("there is a logger already")?;
    log::set_max_level(log::LevelFilter::Trace);
    log_records();
    Ok(())
}

fn log_records() {
    log::info!(target: "shop::orders", order = 42, total = 19.99, gift = true, customer = "ada"; "order {} placed", 42);
    log::warn!(target: "shop::stock", left = 2_u64; "stock is low");
    log::error!(target: "shop::orders", "payment refused");
    log::debug!(target: "shop", "no target of its own");
    log::trace!(target: "shop", "done");
}

fn events() {
    let span = tracing::info_span!(target: "shop", "checkout", order = 42);
    span.in_scope(|| {
        tracing::info!(
            target: "shop::orders",
            total = 19.99,
            items = 3_u64,
            gift = true,
            customer = "ada",
            address = ?("Main St.", 7),
            note = tracing::field::Empty,
            "order placed"
        );
        tracing::warn!(name: "stock.low", target: "shop::stock", left = 2, "only {} left", 2);
        let refused = Refused(Limit);
        let error: &(dyn Error + 'static) = &refused;
        tracing::error!(target: "shop::orders", error, "payment refused");
        tracing::debug!(target: "shop::orders", large = u64::MAX, huge = u128::MAX, raw = &[0_u8, 255][..]);
    });
    tracing::info!(target: "shop", "outside of every span");
    tracing::trace!(target: "shop", step = "last");
}

fn api(logger: &impl Logger) {
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_780_000_000);
    let mut record = logger.create_log_record();
    record.set_event_name("order.placed");
    record.set_timestamp(time);
    record.set_observed_timestamp(time + Duration::from_millis(1));
    record.set_severity_number(Severity::Info2);
    record.set_severity_text("NOTICE");
    record.set_body("order placed".into());
    record.set_trace_context(
        TraceId::from(0x0af7_6519_16cd_43dd),
        SpanId::from(0xb7ad),
        Some(TraceFlags::SAMPLED),
    );
    record.add_attribute("order", 42);
    record.add_attribute("total", 19.99);
    record.add_attribute("gift", true);
    record.add_attribute("customer", "ada".to_owned());
    record.add_attribute("raw", AnyValue::Bytes(Box::new(vec![0, 1, 255])));
    let items = vec![
        "lamp".into(),
        AnyValue::ListAny(Box::new(vec![1.into(), 2.5.into()])),
    ];
    record.add_attribute("items", AnyValue::ListAny(Box::new(items)));
    logger.emit(record);

    let mut record = logger.create_log_record();
    let address = AnyValue::Map(Box::new([("city".into(), "Turin".into())].into()));
    record.set_body(AnyValue::Map(Box::new(
        [("address".into(), address)].into(),
    )));
    record.set_severity_number(Severity::Fatal4);
    record.set_target("shop::stock");
    logger.emit(record);

    logger.emit(logger.create_log_record());
}

/// An error with a source.
#[derive(Debug)]
struct Refused(Limit);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the card was refused")
    }
}

impl Error for Refused {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

#[derive(Debug)]
struct Limit;

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the limit is reached")
    }
}

impl Error for Limit {}
