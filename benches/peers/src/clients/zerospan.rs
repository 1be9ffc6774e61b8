//! Ours: through OpenTelemetry's traits, and through native calls.

use super::{Client, official};
use crate::workload::{
    CHILD, EVENT, EVENT_ATTRIBUTES, NUMBER, ROOT, STATIC_KEYS, TEXT, Workload, dynamic,
};
use benches::pipelines::{SCOPE, resource};
use opentelemetry::trace::TracerProvider as _;
use std::hint::black_box;
use zerospan_export::{OtlpConfig, Pipeline, PipelineBuilder};
use zerospan_trace::{Sampler, Span, Tracer, TracerProvider};

pub(super) struct Otel(Provider);
pub(super) struct Native(Provider);

struct Provider {
    provider: TracerProvider,
    tracer: Tracer,
}

impl Provider {
    fn new(workload: Workload, pipeline: PipelineBuilder) -> Result<Self, String> {
        let pipeline = pipeline.build().map_err(|error| error.to_string())?;
        let provider = TracerProvider::builder()
            .with_sampler(if workload.is_sampled() {
                Sampler::AlwaysOn
            } else {
                Sampler::AlwaysOff
            })
            .with_resource(resource())
            .with_exporter(pipeline)
            .build();
        Ok(Self {
            tracer: provider.tracer(SCOPE),
            provider,
        })
    }

    fn flush(&self) -> Result<(), String> {
        self.provider
            .force_flush()
            .map_err(|error| error.to_string())
    }
}

impl Otel {
    pub(super) fn new(workload: Workload, pipeline: PipelineBuilder) -> Result<Self, String> {
        Provider::new(workload, pipeline).map(Self)
    }
}

impl Native {
    pub(super) fn new(workload: Workload, pipeline: PipelineBuilder) -> Result<Self, String> {
        Provider::new(workload, pipeline).map(Self)
    }

    pub(super) fn over_http(workload: Workload, url: &str) -> Result<Self, String> {
        let config = OtlpConfig::new().with_endpoint(url);
        Self::new(workload, Pipeline::builder().with_otlp(config))
    }
}

impl Client for Otel {
    fn record(&self, workload: Workload, times: u64) {
        official::record(&self.0.tracer, workload, times);
    }

    fn flush(&self) -> Result<(), String> {
        self.0.flush()
    }
}

impl Client for Native {
    fn record(&self, workload: Workload, times: u64) {
        let tracer = &self.0.tracer;
        for _ in 0..times {
            let mut root = tracer.span(ROOT).start();
            if workload.is_dynamic() {
                for (index, key) in STATIC_KEYS[..workload.attributes()].iter().enumerate() {
                    root.set_fmt(key, dynamic!(index));
                }
                continue;
            }
            fill(&mut root, workload.attributes());
            for _ in 0..workload.events() {
                add_event(&mut root);
            }
            if workload.children() > 0 {
                let _entered = root.enter();
                for _ in 0..workload.children() {
                    let mut child = tracer.span(CHILD).start();
                    let _entered = child.enter();
                    fill(&mut child, workload.attributes());
                }
            }
        }
    }

    fn flush(&self) -> Result<(), String> {
        self.0.flush()
    }
}

fn fill(span: &mut Span, attributes: usize) {
    for (index, key) in STATIC_KEYS[..attributes].iter().enumerate() {
        if index.is_multiple_of(2) {
            span.set(key, black_box(TEXT));
        } else {
            span.set(key, black_box(NUMBER));
        }
    }
}

fn add_event(span: &mut Span) {
    span.event_with(EVENT, |event| {
        for (index, key) in STATIC_KEYS[..EVENT_ATTRIBUTES].iter().enumerate() {
            if index.is_multiple_of(2) {
                event.set(key, black_box(TEXT));
            } else {
                event.set(key, black_box(NUMBER));
            }
        }
    });
}
