//! Spans never touch the heap, and what does is listed: every path that allocates, how often, and why.

mod in_flight;
mod table;

use opentelemetry::KeyValue;
use opentelemetry::trace::{
    Span as _, SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState, Tracer as _,
    TracerProvider as _,
};
use std::fmt::Write;
use std::future::Future;
use std::pin::pin;
use std::sync::OnceLock;
use std::task::Waker;
use zerospan_core::dev::{Allocations, CountingAllocator};
use zerospan_core::{Attribute, AttributeSource, EncodingCache, EncodingFormat};
use zerospan_export::{ExportResponse, Pipeline, Request, SendError, Transport};
use zerospan_trace::{
    FutureExt, Sampler, Span, StaticKey, StaticKeySet, TraceParent, Tracer, TracerProvider,
    TracerProviderBuilder, current_span_context, remote_span_context,
};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator::system();

/// A collector that takes everything and keeps nothing.
struct Null;

impl Transport for Null {
    fn send(&mut self, _: &Request<'_>) -> Result<ExportResponse, SendError> {
        Ok(ExportResponse::ALL)
    }
}

/// Sends on the thread that flushes: how many chunks are needed at once depends on no other thread.
fn provider(setup: impl FnOnce(TracerProviderBuilder) -> TracerProviderBuilder) -> TracerProvider {
    let pipeline = Pipeline::builder()
        .with_transport(|| Ok::<_, SendError>(Null))
        .without_worker()
        .build()
        .expect("the defaults are valid");
    let builder = TracerProvider::builder();
    setup(builder.with_exporter(pipeline)).build()
}

/// Counts the allocations of one run of `work` in steady state.
fn of(provider: &TracerProvider, work: impl FnMut()) -> u64 {
    Allocations::per_run(|| provider.force_flush().expect("delivered"), work)
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
fn a_trace_that_crosses_processes_touches_no_heap() {
    check("remote parent", |tracer| {
        let header = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let caller = remote_span_context([header], [""; 0]);
        let caller = caller.expect("the recommendation's own example");
        let span = tracer.span("server").with_parent(&caller).start();
        let parent = TraceParent::new(span.span_context()).expect("valid");
        assert_eq!(parent.to_header()[..36], header.as_bytes()[..36]);
        assert!(remote_span_context(["00-"], [header]).is_err());
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
    check("a set of static keys", |tracer| {
        const SET: StaticKeySet<3> = StaticKeySet::new(["set.text", "set.number", "set.flag"]);
        let mut span = tracer.span("set").start();
        span.set_each(&SET, ("text", 7, true));
        span.set_each(&SET, ("another", 8, false));
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
            span.set_text_with(key, |text| text.write_str("written"));
        }
        span.update_name_fmt(format_args!("renamed {}", 7));
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
    let shared = SharedSet::default();
    check("a shared set, encoded once", |tracer| {
        let mut span = tracer.span("shared").start();
        span.set_all(&shared);
    });
}

/// A set that keeps its encoding.
#[derive(Default)]
struct SharedSet(OnceLock<(EncodingFormat, Vec<u8>)>);

impl AttributeSource for SharedSet {
    fn len(&self) -> usize {
        2
    }

    fn for_each<'a>(&'a self, mut visit: impl FnMut(Attribute<'a>)) {
        visit(Attribute::new("service", "shop"));
        visit(Attribute::new("region", "eu"));
    }

    fn encoding_cache(&self) -> Option<&dyn EncodingCache> {
        Some(self)
    }
}

impl EncodingCache for SharedSet {
    fn encoding(
        &self,
        format: EncodingFormat,
        encode: &mut dyn FnMut(&mut Vec<u8>),
    ) -> Option<&[u8]> {
        let (stored, bytes) = self.0.get_or_init(|| {
            let mut bytes = Vec::new();
            encode(&mut bytes);
            (format, bytes)
        });
        (*stored == format).then_some(bytes)
    }
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
            let mut allocated = Allocations::this_thread();
            let mut seen = 0;
            while let Ok(Some(mut span)) = spans.recv() {
                span.set(&KEYS[1], "there");
                span.end();
                seen += 1;
                if seen == 4_000 {
                    allocated = Allocations::this_thread();
                }
                done.send(0).expect("the starter lives");
            }
            let counted = Allocations::this_thread().since(allocated).count;
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
        let ((), here) = Allocations::measure(|| {
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
