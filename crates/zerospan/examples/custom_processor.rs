//! A custom processor: it marks every span as it starts, and counts the failed ones as they end.
//!
//! `cargo run -p zerospan --features trace --example custom_processor`
#![allow(clippy::print_stdout)]

use opentelemetry::Context;
use opentelemetry::trace::TracerProvider as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use zerospan::export::{InMemoryTransport, Pipeline};
use zerospan::trace::{FinishedSpan, Processor, Span, StaticKey, TracerProvider};

const TENANT: StaticKey = StaticKey::new("tenant.id");
/// The number of the status `Error` in OTLP.
const ERROR: i32 = 2;

#[derive(Clone, Debug, Default)]
struct Failures(Arc<AtomicU64>);

impl Processor for Failures {
    fn on_start(&self, span: &mut Span, _parent: &Context) {
        span.set(&TENANT, "acme");
    }

    fn on_end(&self, span: &FinishedSpan<'_>) {
        // The encoded span, read where it lies.
        let Ok(view) = span.view() else { return };
        let is_marked = view
            .attributes()
            .flatten()
            .any(|attribute| attribute.key == "tenant.id");
        if is_marked && view.status().is_some_and(|status| status.code() == ERROR) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let failures = Failures::default();
    let exporter = Pipeline::builder().with_transport(InMemoryTransport::new());
    let provider = TracerProvider::builder()
        .with_processor(failures.clone())
        .with_exporter(exporter.build()?)
        .build();
    let tracer = provider.tracer("jobs");
    for job in 0..10 {
        let mut span = tracer.span("job").start();
        if job % 3 == 0 {
            span.set_error_fmt(format_args!("job {job} is stuck"));
        }
    }
    provider.force_flush()?;
    assert_eq!(failures.0.load(Ordering::Relaxed), 4);
    assert_eq!(provider.stats().exports[0].delivered, 10);
    println!("10 jobs, 4 of them failed");
    Ok(())
}
