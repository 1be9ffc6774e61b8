//! Spans never touch the heap, and what does is listed: every path that allocates, how often, and why.

use opentelemetry::trace::{
    Span as _, SpanContext, SpanId, SpanKind, Status, TraceContextExt, TraceFlags, TraceId,
    TraceState, Tracer as _, TracerProvider as _,
};
use opentelemetry::{Context, KeyValue, global};
use opentelemetry_sdk::trace as sdk;
use std::fmt::Write as _;
use std::future::Future;
use std::pin::pin;
use std::task::Waker;
use zerospan_core::dev::{Allocations, CountingAllocator};
use zerospan_export::{Accepted, Pipeline, Request, SendError, Transport};
use zerospan_trace::{
    Ended, InSpanExt, Processor, Sampler, Span, StaticKey, Tracer, TracerProvider,
    TracerProviderBuilder, current_context, current_span_context,
};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator::system();

/// A collector that takes everything and keeps nothing.
struct Null;

impl Transport for Null {
    fn send(&mut self, _: &Request<'_>) -> Result<Accepted, SendError> {
        Ok(Accepted::ALL)
    }
}

fn provider(setup: impl FnOnce(TracerProviderBuilder) -> TracerProviderBuilder) -> TracerProvider {
    let pipeline = Pipeline::builder()
        .transport(|| Ok::<_, SendError>(Null))
        .build()
        .expect("the defaults are valid");
    let builder = TracerProvider::builder().with_variables(|_| None);
    setup(builder.with_exporter(pipeline)).build()
}

/// What `work` allocates on this thread once slots and chunks have their size: in 64 runs, so that an allocation per chunk
/// would not hide.
fn of(provider: &TracerProvider, mut work: impl FnMut()) -> u64 {
    Allocations::assert_counted();
    for _ in 0..20 {
        for _ in 0..64 {
            work();
        }
        provider.force_flush().expect("delivered");
    }
    let ((), allocated) = Allocations::of(|| {
        for _ in 0..64 {
            work();
        }
    });
    assert_eq!(allocated.count % 64, 0, "not the same in every run");
    allocated.count / 64
}

const KEYS: [StaticKey; 8] = [
    StaticKey::new("http.request.method"),
    StaticKey::new("url.scheme"),
    StaticKey::new("http.route"),
    StaticKey::new("server.address"),
    StaticKey::new("http.response.status_code"),
    StaticKey::new("server.port"),
    StaticKey::new("cache.hit"),
    StaticKey::new("queue.wait"),
];

fn check(name: &str, work: impl Fn(&Tracer)) {
    let provider = provider(|builder| builder);
    let tracer = provider.tracer("test");
    assert_eq!(of(&provider, || work(&tracer)), 0, "{name}");
    let stats = provider.stats();
    assert!(
        stats.is_balanced() && stats.exports[0].recorded >= 21 * 64,
        "{name}: {stats:?}"
    );
}

#[test]
fn a_root_span_touches_no_heap() {
    check("native", |tracer| drop(tracer.span("root").start()));
    check("trait", |tracer| drop(tracer.start("root")));
    check("builder", |tracer| {
        drop(
            tracer
                .span_builder("root")
                .with_kind(SpanKind::Server)
                .start(tracer),
        );
    });
}

#[test]
fn a_child_through_the_native_scope_touches_no_heap() {
    check("scope", |tracer| {
        let root = tracer.span("root").start();
        let _entered = root.enter();
        let child = tracer.span("child").start();
        let _entered = child.enter();
        drop(tracer.start("grandchild"));
        assert!(current_span_context().is_valid());
    });
    check("explicit parent", |tracer| {
        let root = tracer.span("root").start();
        drop(
            tracer
                .span("child")
                .with_parent(root.span_context())
                .start(),
        );
    });
}

#[test]
fn eight_attributes_touch_no_heap() {
    check("constant keys", |tracer| {
        let mut span = tracer.span("static").start();
        for key in &KEYS {
            span.set(key, "value");
        }
        span.set(&KEYS[0], 1);
    });
    let texts: Vec<String> = (0..8).map(|number| format!("dynamic.{number}")).collect();
    check("dynamic keys and values", |tracer| {
        let mut span = tracer.span("dynamic").start();
        for text in &texts {
            span.set_dynamic(text, text);
        }
    });
    check("formatted values", |tracer| {
        let mut span = tracer.span("formatted").start();
        for (number, key) in KEYS.iter().enumerate() {
            span.set_fmt(key, format_args!("number {number}"));
        }
        span.rename_fmt(format_args!("renamed {}", 7));
        span.set_error_fmt(format_args!("failed {}", 7));
    });
    check("through the traits", |tracer| {
        let mut span = tracer.start("trait");
        for key in KEYS {
            span.set_attribute(KeyValue::new(key.as_str(), "static"));
        }
        span.set_status(Status::error("static"));
        span.update_name("static");
    });
    check("a whole source", |tracer| {
        let mut span = tracer.span("source").start();
        span.set_all(&[("a", "1"), ("b", "2")]);
        span.set_all(
            &texts
                .iter()
                .map(|text| (&**text, "v"))
                .collect::<arrayvec::ArrayVec<_, 8>>()[..],
        );
    });
    let shared = zerospan_attributes::SharedAttributes::from(vec![
        KeyValue::new("service", "shop"),
        KeyValue::new("region", "eu"),
    ]);
    check("a shared set, encoded once", |tracer| {
        let mut span = tracer.span("shared").start();
        span.set_all(&shared);
    });
}

#[test]
fn events_and_links_touch_no_heap() {
    let other = SpanContext::new(
        TraceId::from(1),
        SpanId::from(2),
        TraceFlags::SAMPLED,
        true,
        TraceState::NONE,
    );
    check("three events, one link", |tracer| {
        let mut span = tracer.span("events").start();
        span.event("one", &[("k", "v")]);
        span.event_with("two", |writer| writer.set(&KEYS[0], 2));
        span.add_event("three", vec![]);
        span.link(&other, &[("k", "v")]);
        span.record_error(&std::fmt::Error);
    });
}

#[test]
fn an_unsampled_span_touches_no_heap() {
    let provider = provider(|builder| builder.with_sampler(Sampler::AlwaysOff));
    let tracer = provider.tracer("test");
    let allocated = of(&provider, || {
        let mut span = tracer.span("off").start();
        span.set(&KEYS[0], "ignored");
        let _entered = span.enter();
        drop(tracer.start("off too"));
    });
    assert_eq!(allocated, 0);
    assert_eq!(provider.stats().sampled, 0);
}

#[test]
fn a_future_in_a_span_touches_no_heap() {
    check("future", |tracer| {
        let span = tracer.span("future").start();
        let future = async { drop(tracer.span("child").start()) }.in_span(&span);
        let mut task = std::task::Context::from_waker(Waker::noop());
        assert!(pin!(future).poll(&mut task).is_ready());
    });
}

#[test]
fn a_span_that_is_moved_touches_no_heap_on_either_thread() {
    use std::sync::mpsc::sync_channel;

    let provider = provider(|builder| builder);
    let tracer = provider.tracer("test");
    // Slots flow one way and come back through the pool's shared part. It trades them in batches, whose memory is kept.
    let (to_ender, spans) = sync_channel::<Option<Span>>(1);
    let (done, ended) = sync_channel(1);
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let mut allocated = Allocations::of_this_thread();
            let mut seen = 0;
            while let Ok(Some(mut span)) = spans.recv() {
                span.set(&KEYS[1], "there");
                span.end();
                seen += 1;
                if seen == 4_000 {
                    allocated = Allocations::of_this_thread();
                }
                done.send(0).expect("the starter lives");
            }
            let counted = Allocations::of_this_thread().since(allocated).count;
            done.send(counted).expect("the starter lives");
        });
        let pass = || {
            let mut span = tracer.span("moved").start();
            span.set(&KEYS[0], "here");
            to_ender.send(Some(span)).expect("the ender lives");
            ended.recv().expect("the ender lives")
        };
        for _ in 0..4_000 {
            pass();
        }
        // Has the worker give its chunks back: where it lags behind, the ender is lent one more than ever before.
        provider.force_flush().expect("delivered");
        let ((), here) = Allocations::of(|| {
            for _ in 0..640 {
                pass();
            }
        });
        to_ender.send(None).expect("the ender lives");
        let there = ended.recv().expect("the ender lives");
        // A thread that waits on a channel registers itself there, in memory of the channel's.
        assert!(
            here.count + there <= 2,
            "{} here, {there} there",
            here.count
        );
    });
}

#[derive(Debug)]
struct Watching;

impl Processor for Watching {
    fn on_end(&self, span: &Ended<'_>) {
        assert!(span.view().is_ok());
    }
}

/// Every path that allocates: how often, and why.
#[test]
fn the_table_of_what_allocates_is_complete() {
    let provider = provider(|builder| builder);
    let tracer = provider.tracer("test");
    let boxed = global::BoxedTracer::new(Box::new(tracer.clone()));
    let with_state = SpanContext::new(
        TraceId::from(1),
        SpanId::from(2),
        TraceFlags::SAMPLED,
        true,
        TraceState::from_key_value([("vendor", "state")]).expect("valid"),
    );
    let with_sampler = self::provider(|builder| {
        builder.with_sampler(sdk::Sampler::ParentBased(Box::new(sdk::Sampler::AlwaysOn)))
    });
    let foreign = with_sampler.tracer("test");
    let with_processor = self::provider(|builder| builder.with_processor(Watching));
    let watched = with_processor.tracer("test");
    let with_stock = self::provider(|builder| builder.with_span_processor(Discard));
    let stock = with_stock.tracer("test");

    type Case<'a> = (
        &'a str,
        &'a str,
        u64,
        &'a TracerProvider,
        Box<dyn Fn() + 'a>,
    );
    let cases: Vec<Case<'_>> = vec![
        (
            "in_span",
            "the API boxes the span and counts references to it",
            2,
            &provider,
            Box::new(|| {
                tracer.in_span("in span", |_| {});
            }),
        ),
        (
            "Context::current_with_span",
            "the same",
            2,
            &provider,
            Box::new(|| {
                drop(Context::current_with_span(tracer.start("in context")));
            }),
        ),
        (
            "BoxedTracer",
            "the API boxes the span",
            1,
            &provider,
            Box::new(|| drop(boxed.start("boxed"))),
        ),
        (
            "set_attribute, owned text",
            "the caller's own",
            1,
            &provider,
            Box::new(|| {
                tracer
                    .start("owned")
                    .set_attribute(KeyValue::new("key", String::from("owned")));
            }),
        ),
        (
            "add_event with attributes",
            "the caller's vector",
            1,
            &provider,
            Box::new(|| {
                tracer
                    .start("event")
                    .add_event("event", vec![KeyValue::new("k", "v")]);
            }),
        ),
        (
            "Span::to_context",
            "the API counts references to the span context",
            1,
            &provider,
            Box::new(|| {
                drop(tracer.span("to context").start().to_context());
            }),
        ),
        (
            "current_context, span entered",
            "the same",
            1,
            &provider,
            Box::new(|| {
                let span = tracer.span("entered").start();
                let _entered = span.enter();
                drop(current_context());
            }),
        ),
        (
            "child of a parent with trace state",
            "the state is copied: its box, list, key and value",
            4,
            &provider,
            Box::new(|| {
                drop(tracer.span("child").with_parent(&with_state).start());
            }),
        ),
        (
            "foreign sampler, native parent",
            "a context is made for the sampler",
            1,
            &with_sampler,
            Box::new(|| {
                let root = foreign.span("root").start();
                let _entered = root.enter();
                drop(foreign.span("child").start());
            }),
        ),
        (
            "processor, no native parent",
            "nothing",
            0,
            &with_processor,
            Box::new(|| drop(watched.span("root").start())),
        ),
        (
            "processor, native parent",
            "a context is made for the processor",
            1,
            &with_processor,
            Box::new(|| {
                let root = watched.span("root").start();
                let _entered = root.enter();
                drop(watched.span("child").start());
            }),
        ),
        (
            "stock processor",
            "a SpanData is built: the name, the key, the value, the vector",
            4,
            &with_stock,
            Box::new(|| {
                stock.span("stock").start().set(&KEYS[0], "GET");
            }),
        ),
    ];
    let mut table = String::new();
    let mut wrong = Vec::new();
    for (path, why, expected, provider, work) in &cases {
        let allocated = of(provider, work);
        writeln!(table, "{path:<36} {allocated:>2}  {why}").expect("a string takes it");
        if allocated != *expected {
            wrong.push(*path);
        }
    }
    #[allow(clippy::print_stdout)]
    {
        println!("{table}");
    }
    assert!(
        wrong.is_empty(),
        "not as the table says: {wrong:?}\n{table}"
    );
}

/// A stock processor that drops what it is given.
#[derive(Debug)]
struct Discard;

impl sdk::SpanProcessor for Discard {
    fn on_start(&self, _: &mut sdk::Span, _: &Context) {}

    fn on_end(&self, span: sdk::SpanData) {
        drop(span);
    }

    fn force_flush(&self) -> opentelemetry_sdk::error::OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(
        &self,
        _: std::time::Duration,
    ) -> opentelemetry_sdk::error::OTelSdkResult {
        Ok(())
    }
}
