//! emit with `emit_otlp`. Its spans are guards, whose properties are given where the span is made; it can only send.

use super::Work;
use super::crew::Pipeline;
use super::sink::{SCOPE, SERVICE};
use super::work::{CHILD, CHILDREN, KEYS, NUMBER, ROOT, TEXT, dynamic};
use emit::runtime::AmbientRuntime;
use emit::span::SpanGuard;
use emit::{Empty, Path, Props, Value};
use std::array;
use std::fmt;
use std::hint::black_box;
use std::time::Duration;

pub(super) struct Emit(&'static AmbientRuntime<'static>);

impl Emit {
    /// # Errors
    ///
    /// If this process has a runtime of emit already.
    pub(super) fn new(work: Work, url: &str) -> Result<Self, String> {
        let otlp = emit_otlp::new()
            .resource(("service.name", SERVICE))
            .traces(emit_otlp::traces_http_proto(url))
            .spawn();
        let setup = emit::setup().emit_to(otlp);
        let runtime = if work.is_sampled() {
            setup.try_init().map(|init| init.get())
        } else {
            let setup = setup.emit_when(emit::filter::from_fn(|_| false));
            setup.try_init().map(|init| init.get())
        };
        runtime
            .map(Self)
            .ok_or_else(|| "emit is set up already".to_owned())
    }

    fn root<const N: usize>(&self) {
        self.span(ROOT, attributes::<N>(), || ());
    }

    /// A span around `within`. Its properties are its own: children do not inherit them.
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

    fn tree(&self) {
        self.span(ROOT, attributes::<4>(), || {
            for _ in 0..CHILDREN {
                self.span(CHILD, attributes::<4>(), || ());
            }
        });
    }
}

impl Pipeline for Emit {
    fn record(&self, work: Work, times: u64) {
        for _ in 0..times {
            match work {
                Work::Root0 => self.root::<0>(),
                Work::Root32 => self.root::<32>(),
                Work::Tree => self.tree(),
                Work::Dynamic => {
                    let items: [Item; 8] = array::from_fn(Item);
                    let values = array::from_fn::<_, 8, _>(|index| {
                        (KEYS[index], Value::from_display(&items[index]))
                    });
                    self.span(ROOT, values, || ());
                }
                _ => self.root::<8>(),
            }
        }
    }

    fn flush(&self) -> Result<(), String> {
        if self.0.blocking_flush(Duration::from_secs(30)) {
            Ok(())
        } else {
            Err("emit did not flush within 30 s".to_owned())
        }
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

/// A value that emit formats when it takes it.
struct Item(usize);

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_fmt(dynamic!(self.0))
    }
}
