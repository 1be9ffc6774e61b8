//! The stock SDK, and the calls through the traits of OpenTelemetry that ours takes as well.

use super::sink::{Exporter, SCOPE, Sink, resource};
use super::{CHILD, CHILDREN, Pipeline, ROOT, Work, attribute};
use opentelemetry::Context;
use opentelemetry::trace::{Span, TraceContextExt, Tracer, TracerProvider};
use opentelemetry_sdk::trace::{Sampler, SdkTracer, SdkTracerProvider};

pub(super) struct Stock {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
}

impl Stock {
    pub(super) fn new(work: Work, sink: &Sink) -> Self {
        let provider = provider(work, sink);
        Self {
            tracer: provider.tracer(SCOPE),
            provider,
        }
    }
}

/// The stock provider with its batch processor, in its default settings.
pub(super) fn provider(work: Work, sink: &Sink) -> SdkTracerProvider {
    SdkTracerProvider::builder()
        .with_sampler(if work.is_sampled() {
            Sampler::AlwaysOn
        } else {
            Sampler::AlwaysOff
        })
        .with_resource(resource())
        .with_batch_exporter(Exporter::new(sink))
        .build()
}

impl Pipeline for Stock {
    fn record(&mut self, work: Work, times: u64) {
        record(&self.tracer, work, times);
    }

    fn flush(&mut self) -> Result<(), String> {
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
        for index in 0..work.attributes() {
            span.set_attribute(attribute(index));
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
