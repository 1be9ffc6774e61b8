//! Ours: the calls that the stock SDK takes, and the native ones.

use super::sink::{SCOPE, Sink, resource};
use super::{CHILD, CHILDREN, ENCODED_KEYS, NUMBER, Pipeline, ROOT, TEXT, Work, sdk};
use opentelemetry::trace::TracerProvider as _;
use std::hint::black_box;
use zerospan_export::SendError;
use zerospan_trace::{Sampler, Span, Tracer, TracerProvider};

pub(super) struct Otel(Ours);
pub(super) struct Native(Ours);

struct Ours {
    provider: TracerProvider,
    tracer: Tracer,
}

impl Ours {
    fn new(work: Work, sink: &Sink) -> Result<Self, String> {
        let transport = sink.clone();
        let pipeline = zerospan_export::Pipeline::builder()
            .with_transport(move || Ok::<_, SendError>(transport.clone()))
            .build()
            .map_err(|error| error.to_string())?;
        let provider = TracerProvider::builder()
            .with_sampler(if work.is_sampled() {
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
    /// # Errors
    ///
    /// If the pipeline's default settings do not fit one another.
    pub(super) fn new(work: Work, sink: &Sink) -> Result<Self, String> {
        Ours::new(work, sink).map(Self)
    }
}

impl Native {
    /// # Errors
    ///
    /// If the pipeline's default settings do not fit one another.
    pub(super) fn new(work: Work, sink: &Sink) -> Result<Self, String> {
        Ours::new(work, sink).map(Self)
    }
}

impl Pipeline for Otel {
    fn record(&mut self, work: Work, times: u64) {
        sdk::record(&self.0.tracer, work, times);
    }

    fn flush(&mut self) -> Result<(), String> {
        self.0.flush()
    }
}

impl Pipeline for Native {
    fn record(&mut self, work: Work, times: u64) {
        let tracer = &self.0.tracer;
        for _ in 0..times {
            let mut root = tracer.span(ROOT).start();
            fill(&mut root, work.attributes());
            if work == Work::Tree {
                let _entered = root.enter();
                for _ in 0..CHILDREN {
                    let mut child = tracer.span(CHILD).start();
                    let _entered = child.enter();
                    fill(&mut child, work.attributes());
                }
            }
        }
    }

    fn flush(&mut self) -> Result<(), String> {
        self.0.flush()
    }
}

fn fill(span: &mut Span, attributes: usize) {
    for (index, key) in ENCODED_KEYS[..attributes].iter().enumerate() {
        if index.is_multiple_of(2) {
            span.set(key, black_box(TEXT));
        } else {
            span.set(key, black_box(NUMBER));
        }
    }
}
