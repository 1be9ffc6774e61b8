//! The official SDK, and the calls through OpenTelemetry's traits that ours takes as well.

use super::Client;
use crate::workload::{CHILD, EVENT, EVENT_ATTRIBUTES, KEYS, ROOT, Workload, attribute, dynamic};
use benches::pipelines::{SCOPE, resource};
use opentelemetry::trace::{Span, TraceContextExt, Tracer, TracerProvider};
use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::{Protocol, WithExportConfig};
use opentelemetry_sdk::trace::{Sampler, SdkTracer, SdkTracerProvider, SpanExporter};

pub(super) struct Official {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
}

impl Official {
    pub(super) fn new(workload: Workload, exporter: impl SpanExporter + 'static) -> Self {
        let provider = provider(workload, exporter);
        Self {
            tracer: provider.tracer(SCOPE),
            provider,
        }
    }

    pub(super) fn over_http(workload: Workload, url: &str) -> anyhow::Result<Self> {
        let exporter = opentelemetry_otlp::SpanExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(url)
            .build()?;
        Ok(Self::new(workload, exporter))
    }
}

/// Returns a provider with the batch processor in its default settings.
pub(super) fn provider(
    workload: Workload,
    exporter: impl SpanExporter + 'static,
) -> SdkTracerProvider {
    SdkTracerProvider::builder()
        .with_sampler(if workload.is_sampled() {
            Sampler::AlwaysOn
        } else {
            Sampler::AlwaysOff
        })
        .with_resource(resource())
        .with_batch_exporter(exporter)
        .build()
}

impl Client for Official {
    fn record(&self, workload: Workload, times: u64) {
        record(&self.tracer, workload, times);
    }

    fn flush(&self) -> anyhow::Result<()> {
        Ok(self.provider.force_flush()?)
    }
}

/// Does the workload through the traits.
pub(super) fn record<T: Tracer>(tracer: &T, workload: Workload, times: u64)
where
    T::Span: Send + Sync + 'static,
{
    for _ in 0..times {
        if workload == Workload::Tree {
            tree(tracer);
            continue;
        }
        let mut span = tracer.start(ROOT);
        if workload.is_dynamic() {
            for (index, key) in KEYS[..workload.attributes()].iter().enumerate() {
                span.set_attribute(KeyValue::new(*key, dynamic!(index).to_string()));
            }
        } else {
            for index in 0..workload.attributes() {
                span.set_attribute(attribute(index));
            }
        }
        for _ in 0..workload.events() {
            span.add_event(EVENT, (0..EVENT_ATTRIBUTES).map(attribute).collect());
        }
        span.end();
    }
}

fn tree<T: Tracer>(tracer: &T)
where
    T::Span: Send + Sync + 'static,
{
    let fill = |context: &Context| {
        for index in 0..Workload::Tree.attributes() {
            context.span().set_attribute(attribute(index));
        }
    };
    tracer.in_span(ROOT, |context| {
        fill(&context);
        for _ in 0..Workload::Tree.children() {
            tracer.in_span(CHILD, |context| fill(&context));
        }
    });
}
