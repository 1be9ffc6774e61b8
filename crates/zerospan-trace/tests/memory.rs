//! Large spans leave no large buffers behind, on any path. A program on its own, since it counts all memory.

#![allow(unsafe_code, clippy::print_stdout)]

use opentelemetry::KeyValue;
use opentelemetry::trace::{Span as _, Status, Tracer as _, TracerProvider as _};
use std::alloc::{GlobalAlloc, Layout, System};
use std::fmt::Write;
use std::sync::atomic::{AtomicIsize, Ordering};
use std::sync::{Barrier, Mutex, PoisonError};
use std::time::{Duration, Instant};
use zerospan_export::{BatchConfig, ExportResponse, Pipeline, Request, SendError, Transport};
use zerospan_trace::{FinishedSpan, Processor, Span, StaticKey, TracerProvider};

struct Counting;

static LIVE: AtomicIsize = AtomicIsize::new(0);

fn add(bytes: usize) {
    LIVE.fetch_add(bytes as isize, Ordering::Relaxed);
}

fn remove(bytes: usize) {
    LIVE.fetch_sub(bytes as isize, Ordering::Relaxed);
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: every call is forwarded unchanged to the system's allocator; the counters neither allocate nor unwind.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        add(layout.size());
        // SAFETY: the caller upholds the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        remove(layout.size());
        add(size);
        // SAFETY: `memory` came from the system's allocator with `layout`.
        unsafe { System.realloc(memory, layout, size) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        remove(layout.size());
        // SAFETY: as for `realloc`.
        unsafe { System.dealloc(memory, layout) }
    }
}

const LARGE: usize = 4 << 20;
const THREADS: usize = 4;
/// Far below one large span, and above all that the threads, the pipeline and a request of usual size keep.
const MAX_KEPT: isize = 2 << 20;

/// Takes every request and keeps none.
struct Sink;

impl Transport for Sink {
    fn send(&mut self, _: &Request<'_>) -> Result<ExportResponse, SendError> {
        Ok(ExportResponse::ALL)
    }
}

#[derive(Debug)]
struct Observer {
    panics: bool,
}

impl Processor for Observer {
    fn on_end(&self, span: &FinishedSpan<'_>) {
        assert!(span.encoded().len() > 10);
        assert!(!self.panics, "in a processor");
    }
}

fn text() -> String {
    "x".repeat(LARGE)
}

type Fill = (&'static str, fn(&mut Span));

const KEY: StaticKey = StaticKey::new("large");

/// The ways in which a span gets large.
const FILLS: [Fill; 10] = [
    ("an attribute", |span| {
        span.set_attribute(KeyValue::new("large", text()));
    }),
    ("many attributes", |span| {
        for number in 0..12_000 {
            span.set_attribute(KeyValue::new(format!("key.{number}"), "x".repeat(300)));
        }
    }),
    ("a name", |span| span.update_name(text())),
    ("a formatted attribute", |span| {
        span.set_fmt(&KEY, format_args!("{}{}", text(), 1));
    }),
    ("a written attribute", |span| {
        span.set_text_with(&KEY, |into| into.write_str(&text()));
    }),
    ("a status", |span| span.set_status(Status::error(text()))),
    ("a formatted status", |span| {
        span.set_error_fmt(format_args!("{}{}", text(), 1));
    }),
    ("an event", |span| {
        span.add_event("event", vec![KeyValue::new("large", text())]);
    }),
    ("events", |span| {
        for _ in 0..64 {
            span.add_event(
                "event",
                vec![KeyValue::new("large", "x".repeat(LARGE / 64))],
            );
        }
    }),
    ("an error", |span| {
        span.record_error(&std::io::Error::other(text()));
    }),
];

/// Ends a large span on each of several threads, and returns the memory that is kept while they live on.
fn kept(provider: &TracerProvider, threads: usize, flush: bool, fill: fn(&mut Span)) -> isize {
    let tracer = provider.tracer("memory");
    let before = LIVE.load(Ordering::Relaxed);
    let ended = Barrier::new(threads + 1);
    let measured = Barrier::new(threads + 1);
    let one_at_a_time = Mutex::new(());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                {
                    let _turn = one_at_a_time.lock();
                    let mut span = tracer.start("large");
                    fill(&mut span);
                    drop(span);
                    if flush {
                        let _ = provider.force_flush_with_timeout(Duration::from_secs(20));
                    }
                }
                ended.wait();
                measured.wait();
            });
        }
        ended.wait();
        let kept = LIVE.load(Ordering::Relaxed) - before;
        measured.wait();
        kept
    })
}

/// Returns the memory for a request, which is reserved within the limit of the batch, and kept by the worker.
fn retained_request(request_bytes: usize) -> isize {
    request_bytes.min(LARGE + LARGE / 8) as isize
}

fn provider(request_bytes: usize, processor: Option<Observer>) -> TracerProvider {
    let mut batch = BatchConfig::default();
    batch.max_request_bytes = request_bytes;
    batch.max_memory_bytes = 8 * request_bytes + (32 << 20);
    let pipeline = Pipeline::builder()
        .with_transport(|| Ok(Sink))
        .with_batch(batch)
        .build()
        .expect("valid");
    let builder = TracerProvider::builder()
        .with_max_attributes_per_span(u32::MAX)
        .with_exporter(pipeline);
    match processor {
        Some(processor) => builder.with_processor(processor).build(),
        None => builder.build(),
    }
}

/// One test at a time, since all count the same memory.
static ONE_TEST: Mutex<()> = Mutex::new(());

fn alone() -> impl Drop {
    ONE_TEST.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The memory of ended spans that a provider keeps by default, in bytes.
const MAX_IDLE_BYTES: isize = 16 << 20;

#[test]
fn the_memory_of_ten_thousand_spans_is_kept_for_the_next_and_freed_once_it_is_idle() {
    let _alone = alone();
    let provider = provider(1 << 20, None);
    let tracer = provider.tracer("memory");
    drop(tracer.start("first"));
    let _ = provider.force_flush();
    let mut open = Vec::with_capacity(10_000);
    let before = LIVE.load(Ordering::Relaxed);
    let kept = || LIVE.load(Ordering::Relaxed) - before;
    let mut wave = || {
        open.extend((0..10_000).map(|_| tracer.start("in a wave")));
        open.clear();
        let _ = provider.force_flush();
    };
    wave();
    let after_one = kept();
    assert!(after_one > MAX_IDLE_BYTES * 9 / 10, "{after_one}");
    assert!(after_one < MAX_IDLE_BYTES + MAX_KEPT, "{after_one}");
    wave();
    assert!(kept() - after_one < MAX_KEPT / 8, "{}", kept());
    let start = Instant::now();
    while kept() > MAX_KEPT && start.elapsed() < Duration::from_secs(40) {
        std::thread::sleep(Duration::from_millis(50));
    }
    println!(
        "freed after {:?}: {} KiB are left",
        start.elapsed(),
        kept() >> 10
    );
    assert!(kept() <= MAX_KEPT, "{}", kept());
    assert!(
        start.elapsed() > Duration::from_secs(5),
        "kept for the next"
    );
}

#[test]
fn large_spans_in_flight_leave_no_more_behind_than_is_kept_and_bring_no_more_into_use() {
    let _alone = alone();
    let provider = provider(1 << 20, None);
    let tracer = provider.tracer("memory");
    let large = "x".repeat(500_000);
    let mut open = Vec::with_capacity(10_000);
    // For the memory that the pipeline keeps.
    drop(tracer.start("first"));
    for _ in 0..3 {
        let mut span = tracer.start("large");
        span.set(&KEY, &*large);
        drop(span);
        let _ = provider.force_flush();
    }
    let before = LIVE.load(Ordering::Relaxed);
    let held = || LIVE.load(Ordering::Relaxed) - before;
    for _ in 0..2 {
        for _ in 0..100 {
            let mut span = tracer.start("large");
            span.set(&KEY, &*large);
            open.push(span);
        }
        assert!(held() > 45_000_000, "{}", held());
        // As before, one at a time: a queue of several spans would keep chunks for the next.
        for span in open.drain(..) {
            drop(span);
            let _ = provider.force_flush();
        }
        let (least, most) = (MAX_IDLE_BYTES / 2, MAX_IDLE_BYTES + MAX_KEPT);
        assert!((least..most).contains(&held()), "{}", held());
    }
    open.extend((0..10_000).map(|_| tracer.start("small")));
    // A span of its own takes less than two kilobytes.
    assert!(
        held() < 10_000 * 2048 + MAX_IDLE_BYTES + MAX_KEPT,
        "{}",
        held()
    );
}

#[test]
fn a_slot_frees_memory_that_its_spans_do_not_need() {
    let _alone = alone();
    let provider = provider(1 << 20, None);
    let tracer = provider.tracer("memory");
    drop(tracer.start("small"));
    let _ = provider.force_flush();
    let before = LIVE.load(Ordering::Relaxed);
    let kept = || LIVE.load(Ordering::Relaxed) - before;
    let mut span = tracer.start("large");
    span.set(&KEY, "x".repeat(500_000).as_str());
    drop(span);
    let _ = provider.force_flush();
    let with_large = kept();
    assert!(with_large > 500_000, "{with_large}");
    for _ in 0..63 {
        drop(tracer.start("small"));
    }
    assert!(kept() > with_large - 100_000, "{}", kept());
    drop(tracer.start("small"));
    assert!(kept() < with_large - 400_000, "{}", kept());
}

#[test]
fn a_large_span_leaves_no_large_buffer_behind_on_any_thread() {
    let _alone = alone();
    let print = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let text = panic.payload().downcast_ref::<&str>();
        if text != Some(&"in a processor") {
            print(panic);
        }
    }));
    let mut failures = Vec::new();
    // Refused as too large, and not flushed; accepted and sent.
    for request_bytes in [1 << 20, 4 * LARGE] {
        for (sinks, processor) in [
            ("exporter", None),
            ("processor", Some(false)),
            ("processor that panics", Some(true)),
        ] {
            for (what, fill) in FILLS {
                let provider = provider(request_bytes, processor.map(|panics| Observer { panics }));
                let kept = kept(&provider, THREADS, request_bytes > LARGE, fill)
                    - retained_request(request_bytes);
                if kept > MAX_KEPT {
                    failures.push(format!(
                        "{what}, {sinks}, requests of {request_bytes}: {kept} bytes"
                    ));
                }
                assert!(provider.stats().exports[0].chunk_bytes <= 1 << 20);
            }
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");

    let provider = provider(4 << 20, Some(Observer { panics: false }));
    let kept = kept(&provider, 8, false, |span| {
        span.set_attribute(KeyValue::new("large", "x".repeat(64 << 20)));
    });
    println!(
        "kept after one span of 64 MiB on each of 8 threads: {} KiB",
        kept >> 10
    );
    assert!(kept < MAX_KEPT, "{kept}");
}
