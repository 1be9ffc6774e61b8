//! fastrace with its reporter for OpenTelemetry. Its values are text only: a number is passed as constant text.

use super::Client;
use crate::workload::{CHILD, EVENT, EVENT_ATTRIBUTES, KEYS, ROOT, TEXT, Workload, dynamic};
use benches::pipelines::{SCOPE, resource};
use benches::sink::OfficialExporter;
use fastrace::Event;
use fastrace::collector::Config;
use fastrace::prelude::{LocalSpan, Span, SpanContext};
use fastrace_opentelemetry::OpenTelemetryReporter;
use opentelemetry::InstrumentationScope;
use std::borrow::Cow;
use std::hint::black_box;

pub(super) struct Fastrace {
    is_sampled: bool,
}

impl Fastrace {
    pub(super) fn new(workload: Workload, exporter: OfficialExporter) -> Self {
        let reporter = OpenTelemetryReporter::new(
            exporter,
            Cow::Owned(resource()),
            InstrumentationScope::builder(SCOPE).build(),
        );
        fastrace::set_reporter(reporter, Config::default());
        Self {
            is_sampled: workload.is_sampled(),
        }
    }
}

impl Client for Fastrace {
    fn record(&self, workload: Workload, times: u64) {
        let attributes = workload.attributes();
        for _ in 0..times {
            let root = Span::root(ROOT, SpanContext::random().sampled(self.is_sampled));
            if workload.is_dynamic() {
                drop(root.with_properties(|| formatted(attributes)));
                continue;
            }
            let root = root.with_properties(|| properties(attributes));
            for _ in 0..workload.events() {
                let event = Event::new(EVENT);
                root.add_event(event.with_properties(|| properties(EVENT_ATTRIBUTES)));
            }
            if workload.children() > 0 {
                let _parent = root.set_local_parent();
                for _ in 0..workload.children() {
                    let _child = LocalSpan::enter_with_local_parent(CHILD)
                        .with_properties(|| properties(attributes));
                }
            }
        }
    }

    fn flush(&self) -> anyhow::Result<()> {
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
