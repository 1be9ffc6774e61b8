//! Runs a test on every backend; recyclers and assertions for all tests.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use zerospan_core::{Footprint, Recycle};
use zerospan_pool::{Pool, ThreadCachedPool, thread_cache};

thread_cache! {
    /// The key of the pools with a declared thread-local.
    pub(crate) struct Texts for String;
}

thread_cache! {
    pub(crate) struct TrackedObjects for Tracked;
}

/// Calls a generic function with a pool of each backend: `capacity`, recycler, retention limit.
macro_rules! on_every_backend {
    ($check:ident, $capacity:expr, $recycle:expr, $limit:expr, $key:ty) => {{
        use zerospan_pool::ThreadCachedPool;
        $check(
            "thread-cached, any thread",
            ThreadCachedPool::<_, _>::with_recycle($capacity, $recycle)
                .with_retention_limit($limit),
        );
        $check(
            "thread-cached, declared",
            ThreadCachedPool::<_, _, $key>::with_recycle($capacity, $recycle)
                .with_retention_limit($limit),
        );
        #[cfg(feature = "array-queue")]
        $check(
            "array queue",
            zerospan_pool::ArrayQueuePool::with_recycle($capacity, $recycle)
                .expect("a queue of that capacity")
                .with_retention_limit($limit),
        );
        #[cfg(feature = "object-pool")]
        $check(
            "object pool",
            zerospan_pool::ObjectPool::with_recycle($capacity, $recycle)
                .with_retention_limit($limit),
        );
    }};
}
pub(crate) use on_every_backend;

/// Recycles text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Text;

impl Recycle<String> for Text {
    fn create(&self) -> String {
        String::with_capacity(32)
    }

    fn reset(&self, text: &mut String) {
        text.clear();
    }

    fn heap_bytes(&self, text: &String) -> usize {
        text.heap_bytes()
    }
}

/// An object with a unique number that reports its drop.
#[derive(Debug)]
pub(crate) struct Tracked {
    pub(crate) number: usize,
    pub(crate) reset_panics: bool,
    pub(crate) drop_panics: bool,
    pub(crate) bytes: usize,
    watch: Watch,
}

impl Drop for Tracked {
    fn drop(&mut self) {
        self.watch.dropped.fetch_add(1, Ordering::SeqCst);
        if self.drop_panics {
            panic!("the drop of {} panics", self.number);
        }
    }
}

/// Creates [`Tracked`] objects and counts the live ones.
#[derive(Clone, Debug, Default)]
pub(crate) struct Watch {
    created: Arc<AtomicUsize>,
    dropped: Arc<AtomicUsize>,
    pub(crate) resets: Arc<AtomicUsize>,
}

impl Watch {
    pub(crate) fn live(&self) -> usize {
        let dropped = self.dropped.load(Ordering::SeqCst);
        self.created.load(Ordering::SeqCst) - dropped
    }
}

impl Recycle<Tracked> for Watch {
    fn create(&self) -> Tracked {
        Tracked {
            number: self.created.fetch_add(1, Ordering::SeqCst),
            reset_panics: false,
            drop_panics: false,
            bytes: 0,
            watch: self.clone(),
        }
    }

    fn reset(&self, object: &mut Tracked) {
        self.resets.fetch_add(1, Ordering::SeqCst);
        if object.reset_panics {
            panic!("the reset of {} panics", object.number);
        }
    }

    fn heap_bytes(&self, object: &Tracked) -> usize {
        object.bytes
    }
}

/// Runs `work` on a new thread and joins it.
pub(crate) fn on_another_thread<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    std::thread::scope(|scope| match scope.spawn(work).join() {
        Ok(outcome) => outcome,
        Err(panic) => std::panic::resume_unwind(panic),
    })
}

/// Returns `true` if `work` panics. Suppresses the message.
pub(crate) fn panics(work: impl FnOnce()) -> bool {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).is_err()
}

/// Asserts both equations of `PoolStats`, and the bound.
pub(crate) fn assert_balanced(name: &str, pool: &impl Pool, lent: usize) {
    let stats = pool.stats();
    assert_eq!(stats.lent(), lent as u64, "{name}: {stats:?}");
    assert_eq!(
        stats.hits + stats.misses,
        stats.returns + stats.discards.total() + stats.detached + lent as u64,
        "{name}: {stats:?}"
    );
    assert_eq!(
        (stats.warmed_up + stats.returns) as i128 - (stats.hits + stats.shrunk) as i128,
        pool.len() as i128,
        "{name}: {stats:?}"
    );
    assert!(pool.len() <= pool.capacity(), "{name}: {stats:?}");
}

fn one_thread<P: Pool<Object = Tracked>>(name: &str, pool: P, watch: &Watch, capacity: usize) {
    let first: Vec<_> = (0..capacity + 3).map(|_| pool.acquire()).collect();
    assert_eq!(pool.stats().misses, capacity as u64 + 3, "{name}");
    drop(first);
    assert_eq!(pool.len(), capacity, "{name}");
    assert_eq!(pool.is_empty(), capacity == 0, "{name}");
    assert_eq!(watch.live(), capacity, "{name}");
    assert_eq!(pool.stats().discards.full, 3, "{name}");
    let mut numbers: Vec<_> = (0..capacity).map(|_| pool.acquire()).collect();
    assert_eq!(pool.stats().hits, capacity as u64, "{name}");
    assert!(pool.is_empty(), "{name}");
    numbers.sort_by_key(|object| object.number);
    numbers.dedup_by_key(|object| object.number);
    assert_eq!(numbers.len(), capacity, "{name}: an object was lent twice");
    assert_balanced(name, &pool, capacity);
    drop(numbers);
    assert_balanced(name, &pool, 0);
    assert_eq!(pool.shrink(1), capacity.saturating_sub(1), "{name}");
    assert_eq!(pool.len(), capacity.min(1), "{name}");
    assert_eq!(watch.live(), capacity.min(1), "{name}");
    assert_eq!(pool.warm_up(2), capacity.saturating_sub(1).min(2), "{name}");
    assert_eq!(
        pool.warm_up(usize::MAX),
        capacity.saturating_sub(3),
        "{name}"
    );
    assert_eq!(pool.len(), capacity, "{name}");
    assert_balanced(name, &pool, 0);
    drop(pool);
    assert_eq!(watch.live(), 0, "{name}: the pool leaks");
}

#[test]
fn a_thread_gets_back_as_many_objects_as_the_capacity_allows() {
    for capacity in [0, 1, 2, 7, 8, 9, 63, 64, 100, 256, 300, 1000] {
        let watch = Watch::default();
        let check = |name: &str, pool| one_thread(name, pool, &watch, capacity);
        check(
            "thread-cached, any thread",
            ThreadCachedPool::<_, _>::with_recycle(capacity, watch.clone()),
        );
        fn generic(name: &str, pool: impl Pool<Object = Tracked>, watch: &Watch, capacity: usize) {
            one_thread(name, pool, watch, capacity);
        }
        generic(
            "thread-cached, declared",
            ThreadCachedPool::<_, _, TrackedObjects>::with_recycle(capacity, watch.clone()),
            &watch,
            capacity,
        );
        #[cfg(feature = "array-queue")]
        generic(
            "array queue",
            zerospan_pool::ArrayQueuePool::with_recycle(capacity, watch.clone())
                .expect("a small queue"),
            &watch,
            capacity,
        );
        #[cfg(feature = "object-pool")]
        generic(
            "object pool",
            zerospan_pool::ObjectPool::with_recycle(capacity, watch.clone()),
            &watch,
            capacity,
        );
    }
}

#[test]
fn release_and_drop_return_once_and_detach_does_not_return() {
    fn check(name: &str, pool: impl Pool<Object = Tracked>) {
        let mut object = pool.acquire();
        object.get_mut().number = 77;
        object.release();
        assert_eq!((pool.len(), pool.stats().returns), (1, 1), "{name}");
        drop(pool.acquire());
        assert_eq!((pool.len(), pool.stats().returns), (1, 2), "{name}");
        let mine = pool.acquire().detach();
        assert_eq!(mine.number, 77, "{name}");
        assert_eq!((pool.len(), pool.stats().detached), (0, 1), "{name}");
        drop(mine);
        assert_balanced(name, &pool, 0);
    }
    let watch = Watch::default();
    on_every_backend!(check, 16, watch.clone(), usize::MAX, TrackedObjects);
    assert_eq!(watch.live(), 0);
}

#[test]
fn an_owned_guard_keeps_its_pool_alive() {
    fn check<P: Pool<Object = String> + Send + Sync + 'static>(name: &str, pool: P) {
        let pool = Arc::new(pool);
        let mut text = pool.acquire_owned();
        text.push_str("sent");
        let weak = Arc::downgrade(&pool);
        drop(pool);
        on_another_thread(move || {
            assert_eq!(text.as_str(), "sent");
            assert_eq!(text.pool().stats().misses, 1);
        });
        assert!(weak.upgrade().is_none(), "{name}");
    }
    on_every_backend!(check, 64, Text, usize::MAX, Texts);
}

#[test]
fn an_object_above_the_retention_limit_is_freed_and_counted() {
    fn check(name: &str, pool: impl Pool<Object = String>) {
        let mut kept = pool.acquire();
        kept.push_str(&"x".repeat(100));
        let mut grown = pool.acquire();
        grown.push_str(&"x".repeat(101));
        drop((kept, grown));
        assert_eq!(pool.len(), 1, "{name}");
        assert_eq!(pool.stats().discards.too_large, 1, "{name}");
        assert!(pool.acquire().capacity() <= 100, "{name}");
        assert_balanced(name, &pool, 0);
    }
    on_every_backend!(check, 16, Text, 100, Texts);
}

#[test]
fn user_code_may_use_the_pool_that_calls_it() {
    /// Acquires from its own pool while it creates, resets and measures.
    #[derive(Clone)]
    struct Nested(Arc<Mutex<Option<std::sync::Weak<Nest>>>>, Arc<AtomicBool>);
    type Nest = ThreadCachedPool<String, Nested>;
    impl Nested {
        fn visit(&self) {
            // Without further recursion.
            if self.1.swap(true, Ordering::SeqCst) {
                return;
            }
            let pool = self.0.lock().expect("no panic").clone();
            if let Some(pool) = pool.and_then(|pool| pool.upgrade()) {
                drop((pool.acquire(), pool.acquire(), pool.len(), pool.stats()));
            }
            self.1.store(false, Ordering::SeqCst);
        }
    }
    impl Recycle<String> for Nested {
        fn create(&self) -> String {
            self.visit();
            String::new()
        }
        fn reset(&self, text: &mut String) {
            self.visit();
            text.clear();
        }
        fn heap_bytes(&self, text: &String) -> usize {
            self.visit();
            text.capacity()
        }
    }
    for capacity in [0, 3, 100] {
        let way_in = Arc::new(Mutex::new(None));
        let pool = Arc::new(Nest::with_recycle(
            capacity,
            Nested(way_in.clone(), Arc::default()),
        ));
        *way_in.lock().expect("no panic") = Some(Arc::downgrade(&pool));
        for _ in 0..50 {
            let many: Vec<_> = (0..5).map(|_| pool.acquire()).collect();
            drop(many);
        }
        assert_balanced("nested", &*pool, 0);
    }
}
