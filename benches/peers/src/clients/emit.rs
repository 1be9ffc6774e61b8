//! emit with `emit_otlp`, which can only send. Its spans are guards that take their properties at the start.

use super::Client;
use crate::workload::{CHILD, KEYS, LOG, NUMBER, ROOT, TEXT, Workload, dynamic};
use anyhow::{Context, ensure};
use benches::pipelines::{SCOPE, SERVICE};
use emit::runtime::AmbientRuntime;
use emit::span::SpanGuard;
use emit::{Empty, Event, Path, Props, Template, Value};
use std::array;
use std::fmt;
use std::hint::black_box;
use std::time::Duration;

pub(super) struct Emit(&'static AmbientRuntime<'static>);

impl Emit {
    pub(super) fn new(workload: Workload, url: &str) -> anyhow::Result<Self> {
        let otlp = emit_otlp::new()
            .resource(("service.name", SERVICE))
            .traces(emit_otlp::traces_http_proto(url))
            .spawn();
        let setup = emit::setup().emit_to(otlp);
        let runtime = if workload.is_sampled() {
            setup.try_init().map(|init| init.get())
        } else {
            let setup = setup.emit_when(emit::filter::from_fn(|_| false));
            setup.try_init().map(|init| init.get())
        };
        runtime.map(Self).context("emit is already set up")
    }

    /// Sets emit up to send log records.
    pub(super) fn for_logs(url: &str) -> anyhow::Result<Self> {
        let otlp = emit_otlp::new()
            .resource(("service.name", SERVICE))
            .logs(emit_otlp::logs_http_proto(url))
            .spawn();
        let setup = emit::setup().emit_to(otlp);
        let runtime = setup.try_init().map(|init| init.get());
        runtime.map(Self).context("emit is already set up")
    }

    fn log(&self) {
        let module = Path::new_raw(SCOPE);
        let attributes = attributes::<8>();
        let event = Event::new(module, Template::literal(LOG), Empty, attributes);
        self.0.emit(event);
    }

    /// Makes a span around `within`; children do not inherit its properties.
    fn span(&self, name: &'static str, attributes: impl Props, within: impl FnOnce()) {
        let module = Path::new_raw(SCOPE);
        let (span, frame) = SpanGuard::from_runtime(self.0, Empty, module, attributes);
        let mut span = span.with_name(name);
        frame.call(move || {
            span.start();
            within();
            span.complete();
        });
    }

    fn root<const N: usize>(&self, children: u64) {
        self.span(ROOT, attributes::<N>(), || {
            for _ in 0..children {
                self.span(CHILD, attributes::<N>(), || ());
            }
        });
    }
}

impl Client for Emit {
    fn record(&self, workload: Workload, times: u64) {
        if workload.is_logs() {
            return (0..times).for_each(|_| self.log());
        }
        for _ in 0..times {
            match workload.attributes() {
                8 if workload.is_dynamic() => {
                    let items: [Item; 8] = array::from_fn(Item);
                    let values = array::from_fn::<_, 8, _>(|index| {
                        (KEYS[index], Value::from_display(&items[index]))
                    });
                    self.span(ROOT, values, || ());
                }
                0 => self.root::<0>(workload.children()),
                4 => self.root::<4>(workload.children()),
                8 => self.root::<8>(workload.children()),
                _ => self.root::<32>(workload.children()),
            }
        }
    }

    fn flush(&self) -> anyhow::Result<()> {
        ensure!(
            self.0.blocking_flush(Duration::from_secs(30)),
            "emit did not flush within 30 s"
        );
        Ok(())
    }
}

fn attributes<const N: usize>() -> [(&'static str, Value<'static>); N] {
    array::from_fn(|index| {
        let value = if index.is_multiple_of(2) {
            Value::from(black_box(TEXT))
        } else {
            Value::from(black_box(NUMBER))
        };
        (KEYS[index], value)
    })
}

/// A value that emit formats.
struct Item(usize);

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_fmt(dynamic!(self.0))
    }
}
