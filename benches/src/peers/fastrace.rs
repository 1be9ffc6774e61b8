//! fastrace with its reporter for OpenTelemetry. It knows values as text only: a number is given as constant text.

use super::sink::{Exporter, SCOPE, Sink, resource};
use super::{CHILD, CHILDREN, KEYS, Pipeline, ROOT, TEXT, Work};
use fastrace::collector::Config;
use fastrace::prelude::{LocalSpan, Span, SpanContext};
use fastrace_opentelemetry::OpenTelemetryReporter;
use opentelemetry::InstrumentationScope;
use std::borrow::Cow;
use std::hint::black_box;

pub(super) struct Fastrace {
    sampled: bool,
}

impl Fastrace {
    pub(super) fn new(work: Work, sink: &Sink) -> Self {
        let reporter = OpenTelemetryReporter::new(
            Exporter::new(sink),
            Cow::Owned(resource()),
            InstrumentationScope::builder(SCOPE).build(),
        );
        fastrace::set_reporter(reporter, Config::default());
        Self {
            sampled: work.is_sampled(),
        }
    }

    fn root(&self, attributes: usize) -> Span {
        Span::root(ROOT, SpanContext::random().sampled(self.sampled))
            .with_properties(|| properties(attributes))
    }
}

impl Pipeline for Fastrace {
    fn record(&mut self, work: Work, times: u64) {
        for _ in 0..times {
            let root = self.root(work.attributes());
            if work == Work::Tree {
                let _parent = root.set_local_parent();
                for _ in 0..CHILDREN {
                    let _child = LocalSpan::enter_with_local_parent(CHILD)
                        .with_properties(|| properties(work.attributes()));
                }
            }
        }
    }

    fn flush(&mut self) -> Result<(), String> {
        fastrace::flush();
        Ok(())
    }
}

fn properties(attributes: usize) -> impl Iterator<Item = (&'static str, &'static str)> {
    (0..attributes).map(|index| {
        let value = if index.is_multiple_of(2) { TEXT } else { "200" };
        (KEYS[index], black_box(value))
    })
}
