//! Panics of objects and of user code: the object is discarded and counted once, and the pool stays usable.

use crate::backends::{Tracked, TrackedObjects, Watch, assert_balanced, on_every_backend, panics};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use zerospan_core::Recycle;
use zerospan_pool::{Pool, ThreadCachedPool};

#[test]
fn an_object_is_not_reused_after_a_panic() {
    fn check(name: &str, pool: impl Pool<Object = Tracked>) {
        pool.warm_up(1);
        let mut number = None;
        assert!(panics(|| {
            let object = pool.acquire();
            number = Some(object.number);
            panic!("in user code");
        }));
        assert_eq!(pool.len(), 0, "{name}");
        assert_eq!(pool.stats().discards.panicked, 1, "{name}");
        assert_ne!(Some(pool.acquire().number), number, "{name}");
        assert_balanced(name, &pool, 0);
    }
    let watch = Watch::default();
    on_every_backend!(check, 16, watch.clone(), usize::MAX, TrackedObjects);
    assert_eq!(watch.live(), 0);
}

#[test]
fn an_object_released_during_a_panic_is_kept() {
    /// Releases its guard when it is dropped.
    struct Tidy<'a, P: Pool>(Option<zerospan_pool::Pooled<&'a P>>);
    impl<P: Pool> Drop for Tidy<'_, P> {
        fn drop(&mut self) {
            if let Some(guard) = self.0.take() {
                guard.release();
            }
        }
    }
    fn check(name: &str, pool: impl Pool<Object = Tracked>) {
        assert!(panics(|| {
            let _tidy = Tidy(Some(pool.acquire()));
            panic!("in user code");
        }));
        assert_eq!(pool.len(), 1, "{name}");
        assert_balanced(name, &pool, 0);
    }
    on_every_backend!(check, 16, Watch::default(), usize::MAX, TrackedObjects);
}

#[test]
fn an_object_whose_reset_panics_is_discarded_and_the_panic_continues() {
    fn check(name: &str, pool: impl Pool<Object = Tracked>) {
        for release in [true, false] {
            let mut object = pool.acquire();
            object.reset_panics = true;
            assert!(
                panics(|| if release {
                    object.release();
                } else {
                    drop(object);
                }),
                "{name}"
            );
        }
        assert_eq!(pool.stats().discards.panicked, 2, "{name}");
        assert_eq!(pool.len(), 0, "{name}");
        drop(pool.acquire());
        assert_eq!(pool.len(), 1, "{name}");
        assert_balanced(name, &pool, 0);
    }
    let watch = Watch::default();
    on_every_backend!(check, 16, watch.clone(), usize::MAX, TrackedObjects);
    assert_eq!(watch.live(), 0);
}

#[test]
fn a_drop_that_panics_leaves_the_pool_consistent() {
    fn check(name: &str, pool: impl Pool<Object = Tracked>) {
        // Too large: dropped on return.
        let mut object = pool.acquire();
        (object.bytes, object.drop_panics) = (101, true);
        assert!(panics(|| drop(object)), "{name}");
        assert_eq!(pool.stats().discards.too_large, 1, "{name}");
        assert_balanced(name, &pool, 0);

        // Full: the excess object is dropped.
        let mut many: Vec<_> = (0..17).map(|_| pool.acquire()).collect();
        let mut last = many.pop().expect("seventeen");
        last.drop_panics = true;
        drop(many);
        assert!(panics(|| drop(last)), "{name}");
        assert_eq!(pool.stats().discards.full, 1, "{name}");
        assert_balanced(name, &pool, 0);

        // Kept, then freed: one panics, and all are freed.
        for _ in 0..16 {
            pool.acquire().drop_panics = false;
        }
        let mut first = pool.acquire();
        first.drop_panics = true;
        drop(first);
        let shrink = || assert_eq!(pool.shrink(0), 0, "unreachable");
        assert!(panics(shrink), "{name}");
        assert_eq!(pool.len(), 0, "{name}");
        assert_balanced(name, &pool, 0);
        drop(pool.acquire());
        assert_balanced(name, &pool, 0);
    }
    let watch = Watch::default();
    on_every_backend!(check, 16, watch.clone(), 100, TrackedObjects);
    assert_eq!(watch.live(), 0);
}

#[test]
fn a_pool_whose_objects_panic_when_they_are_freed_frees_them_all() {
    fn check<P: Pool<Object = Tracked>>(name: &str, pool: P) {
        let mut many: Vec<_> = (0..100).map(|_| pool.acquire()).collect();
        many[40].drop_panics = true;
        drop(many);
        assert!(panics(|| drop(pool)), "{name}");
    }
    let watch = Watch::default();
    check(
        "any thread",
        ThreadCachedPool::<_, _>::with_recycle(256, watch.clone()),
    );
    check(
        "declared",
        ThreadCachedPool::<_, _, TrackedObjects>::with_recycle(256, watch.clone()),
    );
    #[cfg(feature = "array-queue")]
    check(
        "array queue",
        zerospan_pool::ArrayQueuePool::with_recycle(256, watch.clone()).expect("small"),
    );
    #[cfg(feature = "object-pool")]
    check(
        "object pool",
        zerospan_pool::ObjectPool::with_recycle(256, watch.clone()),
    );
    assert_eq!(watch.live(), 0);
}

#[test]
fn an_object_whose_creation_or_measurement_panics_is_not_counted_as_lent() {
    #[derive(Clone, Default)]
    struct Fragile {
        create: std::sync::Arc<AtomicBool>,
        judge: std::sync::Arc<AtomicBool>,
        live: std::sync::Arc<AtomicUsize>,
    }
    impl Recycle<String> for Fragile {
        fn create(&self) -> String {
            assert!(!self.create.load(Ordering::SeqCst), "create panics");
            self.live.fetch_add(1, Ordering::SeqCst);
            String::new()
        }
        fn reset(&self, text: &mut String) {
            text.clear();
        }
        fn heap_bytes(&self, _: &String) -> usize {
            assert!(!self.judge.load(Ordering::SeqCst), "judge panics");
            0
        }
    }
    fn check(name: &str, pool: impl Pool<Object = String>, fragile: &Fragile) {
        fragile.create.store(true, Ordering::SeqCst);
        assert!(panics(|| drop(pool.acquire())), "{name}");
        let warm_up = || assert_eq!(pool.warm_up(3), 3, "unreachable");
        assert!(panics(warm_up), "{name}");
        fragile.create.store(false, Ordering::SeqCst);
        assert_balanced(name, &pool, 0);
        let text = pool.acquire();
        fragile.judge.store(true, Ordering::SeqCst);
        assert!(panics(|| drop(text)), "{name}");
        fragile.judge.store(false, Ordering::SeqCst);
        assert_eq!(pool.stats().discards.panicked, 1, "{name}");
        assert_balanced(name, &pool, 0);
    }
    let fragile = Fragile::default();
    check(
        "thread-cached",
        ThreadCachedPool::<_, _>::with_recycle(16, fragile.clone()),
        &fragile,
    );
    #[cfg(feature = "array-queue")]
    check(
        "array queue",
        zerospan_pool::ArrayQueuePool::with_recycle(16, fragile.clone()).expect("small"),
        &fragile,
    );
    #[cfg(feature = "object-pool")]
    check(
        "object pool",
        zerospan_pool::ObjectPool::with_recycle(16, fragile.clone()),
        &fragile,
    );
}
