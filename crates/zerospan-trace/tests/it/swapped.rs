//! Processors that replace the span that is ending, and providers whose last handle is dropped while one ends.

use crate::support::{Rig, builder, pipeline, spans};
use opentelemetry::trace::{Span as _, Tracer as _, TracerProvider as _};
use std::sync::{Arc, Mutex};
use zerospan_trace::{FinishedSpan, Processor, Span, Tracer, TracerProvider};

type Action = Box<dyn Fn(&mut Span) + Send + Sync>;

/// Does something to each span that is ending, and notes those that ended.
#[derive(Clone)]
struct OnEnding {
    action: Arc<Action>,
    ended: Arc<Mutex<Vec<String>>>,
}

impl OnEnding {
    fn new(action: impl Fn(&mut Span) + Send + Sync + 'static) -> Self {
        Self {
            action: Arc::new(Box::new(action)),
            ended: Arc::default(),
        }
    }

    fn ended(&self) -> Vec<String> {
        let mut ended = std::mem::take(&mut *self.ended.lock().expect("no panic"));
        ended.sort();
        ended
    }
}

impl std::fmt::Debug for OnEnding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OnEnding")
    }
}

impl Processor for OnEnding {
    fn on_ending(&self, span: &mut Span) {
        (self.action)(span);
    }

    fn on_end(&self, span: &FinishedSpan<'_>) {
        let name = span.view().expect("valid").name().to_owned();
        self.ended.lock().expect("no panic").push(name);
    }
}

/// Ends a span with that processor, explicitly or by its drop, and returns the names that arrived and that the processor saw.
/// Whatever it does, the counts balance and every span has ended.
fn end_with(
    processor: &OnEnding,
    tracer_of: &Mutex<Option<Tracer>>,
    explicit: bool,
) -> Vec<String> {
    let rig = Rig::with(|builder| builder.with_processor(processor.clone()));
    *tracer_of.lock().expect("no panic") = Some(rig.tracer.clone());
    let mut span = rig.tracer.start("original");
    if explicit {
        span.end();
        span.end();
    }
    drop(span);
    *tracer_of.lock().expect("no panic") = None;
    let mut arrived: Vec<String> = rig.spans().into_iter().map(|span| span.name).collect();
    arrived.sort();
    let stats = rig.provider.stats();
    assert!(stats.is_balanced(), "{stats:?}");
    assert_eq!(stats.open, 0, "{stats:?}");
    assert_eq!(stats.sampled, stats.exports[0].recorded, "{stats:?}");
    assert_eq!(processor.ended(), arrived);
    arrived
}

#[test]
fn a_processor_that_replaces_the_span_that_is_ending_loses_neither_of_them() {
    for explicit in [false, true] {
        let tracer_of = Arc::new(Mutex::new(None::<Tracer>));
        let start = {
            let tracer_of = Arc::clone(&tracer_of);
            move || {
                let tracer = tracer_of.lock().expect("no panic").clone();
                tracer.map(|tracer| tracer.start("other"))
            }
        };
        // By a recorded span, each time.
        let replacing = OnEnding::new({
            let start = start.clone();
            move |span| {
                if let Some(other) = start() {
                    *span = other;
                }
            }
        });
        let mut arrived = end_with(&replacing, &tracer_of, explicit);
        assert_eq!(arrived.remove(0), "original");
        // Each call that ends a span replaces it once more.
        assert_eq!(arrived, vec!["other"; if explicit { 3 } else { 1 }]);

        // By a recorded span, and the original is kept until the next one.
        let kept = Arc::new(Mutex::new(None::<Span>));
        let keeping = OnEnding::new({
            let (start, kept) = (start.clone(), Arc::clone(&kept));
            move |span| {
                let mut kept = kept.lock().expect("no panic");
                if kept.is_none()
                    && let Some(mut other) = start()
                {
                    std::mem::swap(span, &mut other);
                    *kept = Some(other);
                }
            }
        });
        let rig = Rig::with(|builder| builder.with_processor(keeping.clone()));
        *tracer_of.lock().expect("no panic") = Some(rig.tracer.clone());
        let mut span = rig.tracer.start("original");
        if explicit {
            span.end();
        }
        drop(span);
        assert_eq!(keeping.ended(), ["other"]);
        let stats = rig.provider.stats();
        assert!(stats.is_balanced() && stats.open == 1, "{stats:?}");
        // On another thread, where it is ended explicitly first: that is ignored, as within `on_ending`.
        std::thread::spawn(move || {
            let mut original = kept.lock().expect("no panic").take().expect("kept");
            original.end();
            drop(original);
        })
        .join()
        .expect("no panic");
        assert_eq!(keeping.ended(), ["original"]);
        assert_eq!(rig.spans().len(), 2);
        let stats = rig.provider.stats();
        assert!(stats.is_balanced() && stats.open == 0, "{stats:?}");
        *tracer_of.lock().expect("no panic") = None;

        // By a span that is not recorded.
        let noop = OnEnding::new(|span| {
            let disabled = TracerProvider::builder()
                .with_sampler(opentelemetry_sdk::trace::Sampler::AlwaysOff)
                .build();
            *span = disabled.tracer("off").start("not recorded");
        });
        assert_eq!(end_with(&noop, &tracer_of, explicit), ["original"]);

        // By a span of another provider, which ends there.
        let (other, memory) = pipeline();
        let other = builder().with_exporter(other).build();
        let foreign = OnEnding::new({
            let tracer = other.tracer("foreign");
            move |span| *span = tracer.start("foreign")
        });
        assert_eq!(end_with(&foreign, &tracer_of, explicit), ["original"]);
        other.force_flush().expect("delivered");
        assert_eq!(spans(&memory).len(), 1);
        let stats = other.stats();
        assert!(stats.is_balanced() && stats.open == 0, "{stats:?}");
    }
}

#[test]
fn a_provider_that_is_dropped_while_a_span_ends_leaves_its_limits_to_no_other() {
    let last = Arc::new(Mutex::new(None::<TracerProvider>));
    for at_end in [false, true] {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let narrow = {
            let drop_last = {
                let (last, seen) = (Arc::clone(&last), Arc::clone(&seen));
                move || {
                    let taken = last.lock().expect("no panic").take();
                    if taken.is_some() {
                        drop(taken);
                        // Another provider starts a span within the end of the first one's.
                        seen.lock().expect("no panic").push(attributes_kept());
                    }
                }
            };
            builder()
                .with_max_attributes_per_span(1)
                .with_exporter(pipeline().0)
                .with_processor(Dropping {
                    at_end,
                    drop_last: Box::new(drop_last),
                })
                .build()
        };
        let span = narrow.tracer("narrow").start("narrow");
        *last.lock().expect("no panic") = Some(narrow);
        drop(span);
        for _ in 0..3 {
            seen.lock().expect("no panic").push(attributes_kept());
        }
        assert_eq!(*seen.lock().expect("no panic"), [3; 4], "{at_end}");
    }
}

/// Returns the number of attributes that a span of a new provider keeps of three.
fn attributes_kept() -> usize {
    let rig = Rig::new();
    let mut span = rig.tracer.start("wide");
    for key in ["one", "two", "three"] {
        span.set_attribute(opentelemetry::KeyValue::new(key, true));
    }
    drop(span);
    rig.only_span().attributes.len()
}

struct Dropping {
    at_end: bool,
    drop_last: Box<dyn Fn() + Send + Sync>,
}

impl std::fmt::Debug for Dropping {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Dropping")
    }
}

impl Processor for Dropping {
    fn on_ending(&self, _: &mut Span) {
        if !self.at_end {
            (self.drop_last)();
        }
    }

    fn on_end(&self, _: &FinishedSpan<'_>) {
        if self.at_end {
            (self.drop_last)();
        }
    }
}
