//! Ours: the calls that the stock SDK takes, and the native ones.

use super::Work;
use super::crew::Pipeline;
use super::sdk;
use super::sink::{Memory, SCOPE, resource};
use super::work::{
    CHILD, CHILDREN, ENCODED_KEYS, EVENT, EVENT_ATTRIBUTES, EVENTS, NUMBER, ROOT, TEXT, dynamic,
};
use opentelemetry::trace::TracerProvider as _;
use std::hint::black_box;
use zerospan_export::{OtlpConfig, PipelineBuilder, SendError};
use zerospan_trace::{Sampler, Span, Tracer, TracerProvider};

pub(super) struct Otel(Ours);
pub(super) struct Native(Ours);

struct Ours {
    provider: TracerProvider,
    tracer: Tracer,
}

impl Ours {
    fn in_memory(work: Work, memory: &Memory) -> Result<Self, String> {
        let transport = memory.clone();
        let pipeline = zerospan_export::Pipeline::builder()
            .with_transport(move || Ok::<_, SendError>(transport.clone()));
        Self::new(work, pipeline)
    }

    fn new(work: Work, pipeline: PipelineBuilder) -> Result<Self, String> {
        let pipeline = pipeline.build().map_err(|error| error.to_string())?;
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
    pub(super) fn in_memory(work: Work, memory: &Memory) -> Result<Self, String> {
        Ours::in_memory(work, memory).map(Self)
    }
}

impl Native {
    /// # Errors
    ///
    /// If the pipeline's default settings do not fit one another.
    pub(super) fn in_memory(work: Work, memory: &Memory) -> Result<Self, String> {
        Ours::in_memory(work, memory).map(Self)
    }

    /// # Errors
    ///
    /// If the pipeline's default settings do not fit one another, or `url` is none.
    pub(super) fn over_http(work: Work, url: &str) -> Result<Self, String> {
        let config = OtlpConfig::new().with_endpoint(url);
        Ours::new(work, zerospan_export::Pipeline::builder().with_otlp(config)).map(Self)
    }
}

impl Pipeline for Otel {
    fn record(&self, work: Work, times: u64) {
        sdk::record(&self.0.tracer, work, times);
    }

    fn flush(&self) -> Result<(), String> {
        self.0.flush()
    }
}

impl Pipeline for Native {
    fn record(&self, work: Work, times: u64) {
        let tracer = &self.0.tracer;
        for _ in 0..times {
            let mut root = tracer.span(ROOT).start();
            if work == Work::Dynamic {
                for (index, key) in ENCODED_KEYS[..work.attributes()].iter().enumerate() {
                    root.set_fmt(key, dynamic!(index));
                }
                continue;
            }
            fill(&mut root, work.attributes());
            match work {
                Work::Tree => {
                    let _entered = root.enter();
                    for _ in 0..CHILDREN {
                        let mut child = tracer.span(CHILD).start();
                        let _entered = child.enter();
                        fill(&mut child, work.attributes());
                    }
                }
                Work::Events => add_events(&mut root),
                _ => (),
            }
        }
    }

    fn flush(&self) -> Result<(), String> {
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

fn add_events(span: &mut Span) {
    for _ in 0..EVENTS {
        span.event_with(EVENT, |event| {
            for (index, key) in ENCODED_KEYS[..EVENT_ATTRIBUTES].iter().enumerate() {
                if index.is_multiple_of(2) {
                    event.set(key, black_box(TEXT));
                } else {
                    event.set(key, black_box(NUMBER));
                }
            }
        });
    }
}
