//! A span from the heap against a span from each backend of the pool: both empty, with the same capacities.

use criterion::{Criterion, criterion_group, criterion_main};
use opentelemetry_sdk::trace::SpanData;
use std::hint::black_box;
use zerospan_core::Recycle;
use zerospan_pool::{
    ArrayQueuePool, ObjectPool, Pool, SpanPool, SpanRecycle, SpanThreads, ThreadCachedPool,
};

const CAPACITY: usize = 1024;

fn span_allocation(criterion: &mut Criterion) {
    let recycle = SpanRecycle::default();
    let mut group = criterion.benchmark_group("span_allocation");

    group.bench_function("heap_alloc", |bencher| {
        bencher.iter(|| drop(black_box(recycle.create())));
    });

    let spans = SpanPool::new(CAPACITY);
    group.bench_function("pool_alloc", |bencher| {
        bencher.iter(|| {
            let mut span = spans.acquire();
            let ready: &mut SpanData = black_box(&mut span);
            ready.attributes.capacity()
        });
    });

    // The pool without the reset of a span's fields.
    let unreset = ThreadCachedPool::<_, _, SpanThreads>::with_recycle(CAPACITY, Unreset(recycle));
    unreset.warm_up(CAPACITY);
    backend(&mut group, "lend_and_return_without_reset", &unreset);

    let any_thread = ThreadCachedPool::<_, _>::with_recycle(CAPACITY, recycle);
    any_thread.warm_up(CAPACITY);
    backend(
        &mut group,
        "pool_alloc/thread_cached_any_thread",
        &any_thread,
    );
    if let Ok(queue) = ArrayQueuePool::with_recycle(CAPACITY, recycle) {
        queue.warm_up(CAPACITY);
        backend(&mut group, "pool_alloc/array_queue", &queue);
    }
    let objects = ObjectPool::with_recycle(CAPACITY, recycle);
    objects.warm_up(CAPACITY);
    backend(&mut group, "pool_alloc/object_pool", &objects);
    group.finish();
}

fn backend<M: criterion::measurement::Measurement>(
    group: &mut criterion::BenchmarkGroup<'_, M>,
    name: &str,
    pool: &impl Pool<Object = Box<SpanData>>,
) {
    group.bench_function(name, |bencher| {
        bencher.iter(|| {
            let mut span = pool.acquire();
            let ready: &mut SpanData = black_box(&mut span);
            ready.attributes.capacity()
        });
    });
}

struct Unreset(SpanRecycle);

impl Recycle<Box<SpanData>> for Unreset {
    fn create(&self) -> Box<SpanData> {
        self.0.create()
    }

    fn reset(&self, _: &mut Box<SpanData>) {}

    fn heap_bytes(&self, _: &Box<SpanData>) -> usize {
        0
    }
}

criterion_group!(benches, span_allocation);
criterion_main!(benches);
