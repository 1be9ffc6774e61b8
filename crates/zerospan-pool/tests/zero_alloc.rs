//! A pool does not allocate in steady state.
#![cfg(not(loom))]

use zerospan_core::dev::{Allocations, CountingAllocator};
use zerospan_core::{DefaultRecycle, Footprint, Reset};
use zerospan_pool::{Pool, ThreadCachedPool, thread_cache};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator::system();

thread_cache! {
    /// The key of the pools with a declared thread-local.
    struct Buffers for Buffer;
}

/// A buffer that is created with capacity.
struct Buffer(Vec<u8>);

impl Default for Buffer {
    fn default() -> Self {
        Self(Vec::with_capacity(100))
    }
}

impl Reset for Buffer {
    fn reset(&mut self) {
        self.0.clear();
    }
}

impl Footprint for Buffer {
    fn heap_bytes(&self) -> usize {
        self.0.heap_bytes()
    }
}

/// Acquires and returns one object and many, so that the depot is used too.
fn work(pool: &impl Pool<Object = Buffer>) {
    for _ in 0..100 {
        pool.acquire().0.extend_from_slice(&[7; 100]);
    }
    // An array: the guards need no heap.
    let many: [_; 200] = std::array::from_fn(|_| pool.acquire());
    drop(many);
    pool.acquire().release();
    assert_eq!(pool.stats().lent(), 0);
    assert!(pool.len() <= pool.capacity());
}

fn check(name: &str, pool: impl Pool<Object = Buffer>) {
    Allocations::assert_counted();
    let ((), first) = Allocations::measure(|| work(&pool));
    assert!(
        first.count >= 200,
        "{name}: the control: the first round creates, {first:?}"
    );
    let ((), steady) = Allocations::measure(|| work(&pool));
    assert_eq!(steady, Allocations::default(), "{name}");
    let (detached, allocations) = Allocations::measure(|| pool.acquire().detach());
    assert_eq!(allocations, Allocations::default(), "{name}: detach");
    drop(detached);
}

#[test]
fn acquire_and_return_do_not_allocate_in_steady_state() {
    check("any thread", ThreadCachedPool::<Buffer>::new(256));
    check(
        "declared",
        ThreadCachedPool::<_, _, Buffers>::with_recycle(256, DefaultRecycle),
    );
    #[cfg(feature = "array-queue")]
    check(
        "array queue",
        zerospan_pool::ArrayQueuePool::new(256).expect("small"),
    );
    #[cfg(feature = "object-pool")]
    check("object pool", zerospan_pool::ObjectPool::new(256));
}

#[test]
fn a_warm_pool_lends_to_another_thread_without_creating_objects() {
    Allocations::assert_counted();
    let pool =
        ThreadCachedPool::<Buffer, DefaultRecycle, Buffers>::with_recycle(256, DefaultRecycle);
    assert_eq!(pool.warm_up(256), 256);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let ((), first) = Allocations::measure(|| drop(pool.acquire()));
            assert!(
                first.count < 10,
                "only the thread's cache is allocated: {first:?}"
            );
            let ((), steady) = Allocations::measure(|| work(&pool));
            assert_eq!(steady, Allocations::default());
        });
    });
}

#[cfg(feature = "sdk")]
#[test]
fn a_span_is_filled_within_its_capacity_without_allocation() {
    use opentelemetry::KeyValue;
    use zerospan_pool::GLOBAL_SPAN_POOL;

    Allocations::assert_counted();
    drop(GLOBAL_SPAN_POOL.acquire());
    let ((), allocations) = Allocations::measure(|| {
        for _ in 0..10 {
            let mut span = GLOBAL_SPAN_POOL.acquire();
            span.name = "GET /users/{id}".into();
            for index in 0..16_i64 {
                span.attributes.push(KeyValue::new("index", index));
            }
        }
    });
    assert_eq!(allocations, Allocations::default());
    let (fresh, allocations) = Allocations::measure(|| {
        zerospan_core::Recycle::create(&zerospan_pool::SpanRecycle::default())
    });
    assert_eq!(allocations.count, 4, "the control: a span from the heap");
    drop(fresh);
}
