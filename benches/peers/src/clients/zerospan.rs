//! Ours: through native calls, or through OpenTelemetry's traits.

use super::{Client, official};
use crate::workload::{
    CHILD, EVENT, EVENT_ATTRIBUTES, NUMBER, ROOT, STATIC_KEYS, TEXT, Workload, dynamic,
};
use benches::pipelines::{SCOPE, resource};
use opentelemetry::trace::TracerProvider as _;
use std::hint::black_box;
use zerospan_export::PipelineBuilder;
use zerospan_trace::{Sampler, Span, Tracer, TracerProvider};

pub(super) struct Zerospan {
    provider: TracerProvider,
    tracer: Tracer,
    is_native: bool,
}

impl Zerospan {
    pub(super) fn new(
        workload: Workload,
        pipeline: PipelineBuilder,
        is_native: bool,
    ) -> anyhow::Result<Self> {
        let provider = provider(workload, pipeline)?;
        Ok(Self {
            tracer: provider.tracer(SCOPE),
            provider,
            is_native,
        })
    }
}

/// Returns a provider that sends to `pipeline`.
pub(super) fn provider(
    workload: Workload,
    pipeline: PipelineBuilder,
) -> anyhow::Result<TracerProvider> {
    let provider = TracerProvider::builder()
        .with_sampler(if workload.is_sampled() {
            Sampler::AlwaysOn
        } else {
            Sampler::AlwaysOff
        })
        .with_resource(resource())
        .with_exporter(pipeline.build()?)
        .build();
    Ok(provider)
}

impl Client for Zerospan {
    fn record(&self, workload: Workload, times: u64) {
        if self.is_native {
            (0..times).for_each(|_| record(&self.tracer, workload));
        } else {
            official::record(&self.tracer, workload, times);
        }
    }

    fn flush(&self) -> anyhow::Result<()> {
        Ok(self.provider.force_flush()?)
    }
}

fn record(tracer: &Tracer, workload: Workload) {
    let mut root = tracer.span(ROOT).start();
    if workload.is_dynamic() {
        for (index, key) in STATIC_KEYS[..workload.attributes()].iter().enumerate() {
            root.set_fmt(key, dynamic!(index));
        }
        return;
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
