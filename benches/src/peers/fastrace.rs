//! fastrace with its reporter for OpenTelemetry. It knows values as text only: a number is given as constant text.

use super::Work;
use super::crew::Pipeline;
use super::sink::{Exporter, Memory, SCOPE, resource};
use super::work::{CHILD, CHILDREN, EVENT, EVENT_ATTRIBUTES, EVENTS, KEYS, ROOT, TEXT, dynamic};
use fastrace::Event;
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
    pub(super) fn new(work: Work, memory: &Memory) -> Self {
        let reporter = OpenTelemetryReporter::new(
            Exporter::new(memory),
            Cow::Owned(resource()),
            InstrumentationScope::builder(SCOPE).build(),
        );
        fastrace::set_reporter(reporter, Config::default());
        Self {
            sampled: work.is_sampled(),
        }
    }

    fn root(&self) -> Span {
        Span::root(ROOT, SpanContext::random().sampled(self.sampled))
    }
}

impl Pipeline for Fastrace {
    fn record(&self, work: Work, times: u64) {
        let attributes = work.attributes();
        for _ in 0..times {
            if work == Work::Dynamic {
                drop(self.root().with_properties(|| formatted(attributes)));
                continue;
            }
            let root = self.root().with_properties(|| properties(attributes));
            match work {
                Work::Tree => {
                    let _parent = root.set_local_parent();
                    for _ in 0..CHILDREN {
                        let _child = LocalSpan::enter_with_local_parent(CHILD)
                            .with_properties(|| properties(attributes));
                    }
                }
                Work::Events => {
                    for _ in 0..EVENTS {
                        root.add_event(
                            Event::new(EVENT).with_properties(|| properties(EVENT_ATTRIBUTES)),
                        );
                    }
                }
                _ => (),
            }
        }
    }

    fn flush(&self) -> Result<(), String> {
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

fn formatted(attributes: usize) -> impl Iterator<Item = (&'static str, String)> {
    (0..attributes).map(|index| (KEYS[index], dynamic!(index).to_string()))
}
