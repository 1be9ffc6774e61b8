//! The stock SDK, and the calls through the traits of OpenTelemetry that ours takes as well.

use super::Work;
use super::crew::Pipeline;
use super::sink::{Exporter, Memory, SCOPE, resource};
use super::work::{
    CHILD, CHILDREN, EVENT, EVENT_ATTRIBUTES, EVENTS, KEYS, ROOT, attribute, dynamic,
};
use opentelemetry::trace::{Span, TraceContextExt, Tracer, TracerProvider};
use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::{Protocol, WithExportConfig};
use opentelemetry_sdk::trace::{Sampler, SdkTracer, SdkTracerProvider, SpanExporter};

pub(super) struct Stock {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
}

impl Stock {
    pub(super) fn in_memory(work: Work, memory: &Memory) -> Self {
        Self::new(work, Exporter::new(memory))
    }

    /// # Errors
    ///
    /// If there is no HTTP client.
    pub(super) fn over_http(work: Work, url: &str) -> Result<Self, String> {
        let exporter = opentelemetry_otlp::SpanExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(url)
            .build()
            .map_err(|error| error.to_string())?;
        Ok(Self::new(work, exporter))
    }

    fn new(work: Work, exporter: impl SpanExporter + 'static) -> Self {
        let provider = provider(work, exporter);
        Self {
            tracer: provider.tracer(SCOPE),
            provider,
        }
    }
}

/// The stock provider with its batch processor, in its default settings.
pub(super) fn provider(work: Work, exporter: impl SpanExporter + 'static) -> SdkTracerProvider {
    SdkTracerProvider::builder()
        .with_sampler(if work.is_sampled() {
            Sampler::AlwaysOn
        } else {
            Sampler::AlwaysOff
        })
        .with_resource(resource())
        .with_batch_exporter(exporter)
        .build()
}

impl Pipeline for Stock {
    fn record(&self, work: Work, times: u64) {
        record(&self.tracer, work, times);
    }

    fn flush(&self) -> Result<(), String> {
        self.provider
            .force_flush()
            .map_err(|error| error.to_string())
    }
}

/// The work, through the traits.
pub(super) fn record<T: Tracer>(tracer: &T, work: Work, times: u64)
where
    T::Span: Send + Sync + 'static,
{
    for _ in 0..times {
        if work == Work::Tree {
            tree(tracer);
            continue;
        }
        let mut span = tracer.start(ROOT);
        if work == Work::Dynamic {
            for (index, key) in KEYS[..work.attributes()].iter().enumerate() {
                span.set_attribute(KeyValue::new(*key, dynamic!(index).to_string()));
            }
        } else {
            for index in 0..work.attributes() {
                span.set_attribute(attribute(index));
            }
        }
        if work == Work::Events {
            for _ in 0..EVENTS {
                span.add_event(EVENT, (0..EVENT_ATTRIBUTES).map(attribute).collect());
            }
        }
        span.end();
    }
}

fn tree<T: Tracer>(tracer: &T)
where
    T::Span: Send + Sync + 'static,
{
    let fill = |context: &Context| {
        for index in 0..Work::Tree.attributes() {
            context.span().set_attribute(attribute(index));
        }
    };
    tracer.in_span(ROOT, |context| {
        fill(&context);
        for _ in 0..CHILDREN {
            tracer.in_span(CHILD, |context| fill(&context));
        }
    });
}
