//! Threads that share a pool, start and end during its life, and outlive it.
//!
//! Threads are joined explicitly before anything is counted: the end of a scope does not wait for the destructors of a
//! thread's locals.

use crate::backends::{
    Text, Texts, Tracked, TrackedObjects, Watch, assert_balanced, on_another_thread,
    on_every_backend, panics,
};
use std::cell::RefCell;
use std::sync::mpsc;
use std::sync::{Arc, Barrier};
use zerospan_pool::{Pool, Pooled, ThreadCachedPool};

type Declared = ThreadCachedPool<Tracked, Watch, TrackedObjects>;
type AnyKey = ThreadCachedPool<Tracked, Watch>;

#[test]
fn objects_cached_by_an_ended_thread_are_available_to_others() {
    fn check(name: &str, pool: impl Pool<Object = Tracked> + Sync) {
        on_another_thread(|| {
            let many: Vec<_> = (0..20).map(|_| pool.acquire()).collect();
            drop(many);
        });
        assert_eq!(pool.len(), 20, "{name}");
        let many: Vec<_> = (0..20).map(|_| pool.acquire()).collect();
        assert_eq!((pool.stats().hits, pool.stats().misses), (20, 20), "{name}");
        drop(many);
        assert_balanced(name, &pool, 0);
    }
    let watch = Watch::default();
    on_every_backend!(check, 160, watch.clone(), usize::MAX, TrackedObjects);
    assert_eq!(watch.live(), 0);
}

#[test]
fn threads_that_come_and_go_leak_neither_objects_nor_capacity() {
    fn check(name: &str, pool: impl Pool<Object = Tracked> + Sync) {
        for _ in 0..100 {
            on_another_thread(|| drop((pool.acquire(), pool.acquire())));
        }
        assert_eq!(pool.len(), 2, "{name}");
        assert_eq!((pool.stats().hits, pool.stats().misses), (198, 2), "{name}");
        let many: Vec<_> = (0..64).map(|_| pool.acquire()).collect();
        drop(many);
        assert_eq!(pool.len(), 64, "{name}: room is lost");
        assert_balanced(name, &pool, 0);
    }
    let watch = Watch::default();
    on_every_backend!(check, 64, watch.clone(), usize::MAX, TrackedObjects);
    assert_eq!(watch.live(), 0);
}

#[test]
fn objects_returned_on_another_thread_stay_bounded_and_are_reused() {
    fn check<P: Pool<Object = Tracked> + Sync>(name: &str, pool: P) {
        let (sender, receiver) = mpsc::sync_channel::<Pooled<&P>>(4);
        std::thread::scope(|scope| {
            let returning = scope.spawn(|| {
                for guard in receiver {
                    drop(guard);
                    assert!(pool.len() <= pool.capacity());
                }
            });
            let sender = sender;
            for _ in 0..2_000 {
                sender.send(pool.acquire()).expect("the other end lives");
            }
            drop(sender);
            returning.join().expect("no panic");
        });
        let stats = pool.stats();
        assert!(
            stats.misses < 200 && stats.discards.total() == 0,
            "{name}: objects are not reused: {stats:?}"
        );
        assert_balanced(name, &pool, 0);
    }
    let watch = Watch::default();
    on_every_backend!(check, 128, watch.clone(), usize::MAX, TrackedObjects);
    assert_eq!(watch.live(), 0);
}

#[test]
fn many_threads_never_keep_more_than_the_capacity() {
    fn check(name: &str, pool: impl Pool<Object = Tracked> + Sync, watch: &Watch) {
        const THREADS: usize = 6;
        let barrier = Barrier::new(THREADS);
        let user = &|seed: usize| {
            barrier.wait();
            let mut held = Vec::new();
            let mut random = seed as u64 + 1;
            for _ in 0..1_000 {
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                match random % 16 {
                    0..8 => held.push(pool.acquire()),
                    8..14 => drop(held.pop()),
                    14 => held.clear(),
                    _ => drop(held.pop().map(Pooled::detach)),
                }
            }
            held.clear();
            // All caches are full.
            barrier.wait();
            let seen = (pool.len(), watch.live());
            barrier.wait();
            seen
        };
        let seen: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..THREADS)
                .map(|seed| scope.spawn(move || user(seed)))
                .collect();
            threads
                .into_iter()
                .map(std::thread::ScopedJoinHandle::join)
                .collect()
        });
        for seen in seen {
            let (len, live) = seen.expect("no panic");
            assert!(
                len <= pool.capacity() && len == live,
                "{name}: {len}, {live}"
            );
        }
        assert_balanced(name, &pool, 0);
        assert_eq!(watch.live(), pool.len(), "{name}");
    }
    for capacity in [5, 8, 40, 512] {
        let watch = Watch::default();
        check(
            "any thread",
            AnyKey::with_recycle(capacity, watch.clone()),
            &watch,
        );
        check(
            "declared",
            Declared::with_recycle(capacity, watch.clone()),
            &watch,
        );
        #[cfg(feature = "array-queue")]
        check(
            "array queue",
            zerospan_pool::ArrayQueuePool::with_recycle(capacity, watch.clone()).expect("small"),
            &watch,
        );
        #[cfg(feature = "object-pool")]
        check(
            "object pool",
            zerospan_pool::ObjectPool::with_recycle(capacity, watch.clone()),
            &watch,
        );
        assert_eq!(watch.live(), 0);
    }
}

#[test]
fn counts_of_an_idle_thread_are_visible_to_others() {
    let pool = ThreadCachedPool::<String, _, Texts>::with_recycle(64, Text);
    let (at_rest, done) = (Barrier::new(2), Barrier::new(2));
    std::thread::scope(|scope| {
        let idle = scope.spawn(|| {
            for _ in 0..10 {
                drop(pool.acquire());
            }
            at_rest.wait();
            done.wait();
        });
        at_rest.wait();
        let stats = pool.stats();
        assert_eq!((stats.hits, stats.misses, stats.returns), (9, 1, 10));
        assert_eq!(pool.len(), 1);
        done.wait();
        idle.join().expect("no panic");
    });
    assert_balanced("declared", &pool, 0);
}

#[test]
fn flush_makes_cached_objects_available_to_others() {
    let pool = ThreadCachedPool::<String, _, Texts>::with_recycle(64, Text);
    let (at_rest, done) = (Barrier::new(2), Barrier::new(2));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            drop((pool.acquire(), pool.acquire()));
            pool.flush();
            at_rest.wait();
            done.wait();
        });
        at_rest.wait();
        drop((pool.acquire(), pool.acquire()));
        assert_eq!((pool.stats().hits, pool.stats().misses), (2, 2));
        done.wait();
    });
}

fn other_threads_free_their_cached_objects_of_a_dropped_pool<K>()
where
    K: zerospan_pool::ThreadCache<Tracked>,
{
    let watch = Watch::default();
    let pool = Arc::new(ThreadCachedPool::<_, _, K>::with_recycle(64, watch.clone()));
    let next = ThreadCachedPool::<_, _, K>::with_recycle(64, Watch::default());
    let (cached, gone) = (Barrier::new(2), Barrier::new(2));
    std::thread::scope(|scope| {
        let theirs = Arc::clone(&pool);
        let (watch, next, cached, gone) = (&watch, &next, &cached, &gone);
        let thread = scope.spawn(move || {
            drop((theirs.acquire(), theirs.acquire(), theirs.acquire()));
            drop(theirs);
            cached.wait();
            gone.wait();
            assert_eq!(watch.live(), 3, "only this thread can free them");
            drop(next.acquire());
            assert_eq!(watch.live(), 0, "the next use of a pool frees them");
        });
        cached.wait();
        drop(pool);
        gone.wait();
        thread.join().expect("no panic");
    });
    assert_eq!(watch.live(), 0);
    assert_balanced("next", &next, 0);
}

#[test]
fn objects_of_a_dropped_pool_are_freed_by_each_thread_at_its_next_use() {
    other_threads_free_their_cached_objects_of_a_dropped_pool::<TrackedObjects>();
    other_threads_free_their_cached_objects_of_a_dropped_pool::<zerospan_pool::AnyThread>();
}

#[test]
fn objects_of_a_dropped_pool_are_freed_by_each_thread_at_its_end() {
    let watch = Watch::default();
    let pool = Arc::new(Declared::with_recycle(64, watch.clone()));
    let theirs = Arc::clone(&pool);
    let (sender, receiver) = mpsc::channel::<()>();
    let (cached, is_cached) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        drop((theirs.acquire(), theirs.acquire()));
        drop(theirs);
        cached.send(()).expect("the test waits");
        let _ = receiver.recv();
    });
    is_cached.recv().expect("the thread caches");
    drop(pool);
    assert_eq!(watch.live(), 2);
    drop(sender);
    thread.join().expect("no panic");
    assert_eq!(watch.live(), 0);
}

#[test]
fn a_panic_of_an_object_of_a_dropped_pool_leaves_other_pools_consistent() {
    let watch = Watch::default();
    let gone = Arc::new(Declared::with_recycle(64, watch.clone()));
    let next = Declared::with_recycle(64, watch.clone());
    let (cached, dropped) = (Barrier::new(2), Barrier::new(2));
    std::thread::scope(|scope| {
        let theirs = Arc::clone(&gone);
        let (next, cached, dropped) = (&next, &cached, &dropped);
        let thread = scope.spawn(move || {
            theirs.acquire().drop_panics = true;
            let object = next.acquire();
            drop(theirs);
            cached.wait();
            dropped.wait();
            assert!(
                panics(|| drop(object)),
                "the object of the dropped pool panics"
            );
            assert_balanced("next", next, 0);
            drop(next.acquire());
            assert_balanced("next", next, 0);
        });
        cached.wait();
        drop(gone);
        dropped.wait();
        thread.join().expect("no panic");
    });
    assert_eq!(next.stats().discards.panicked, 1);
    drop(next);
    assert_eq!(watch.live(), 0);
}

#[test]
fn pools_that_come_and_go_leave_nothing_in_a_running_thread() {
    for _ in 0..50 {
        let watch = Watch::default();
        let pools: Vec<_> = (0..4)
            .map(|_| Declared::with_recycle(64, watch.clone()))
            .collect();
        for pool in &pools {
            drop((pool.acquire(), pool.acquire()));
            assert_balanced("declared", pool, 0);
            assert_eq!(pool.stats().misses, 2);
        }
        drop(pools);
        assert_eq!(watch.live(), 0);
    }
}

#[test]
fn several_pools_of_one_key_do_not_mix_their_objects() {
    let (one, two) = (Watch::default(), Watch::default());
    let pools = (
        Declared::with_recycle(64, one.clone()),
        Declared::with_recycle(64, two.clone()),
    );
    for _ in 0..100 {
        drop((pools.0.acquire(), pools.1.acquire(), pools.1.acquire()));
    }
    assert_eq!((pools.0.len(), pools.1.len()), (1, 2));
    assert_eq!((one.live(), two.live()), (1, 2));
    drop(pools.0);
    assert_eq!((one.live(), two.live()), (0, 2));
}

#[test]
fn pools_work_while_a_thread_tears_its_locals_down() {
    /// Uses its pool when its thread-local is dropped.
    struct Late<P: Pool + 'static>(Arc<P>, Option<Pooled<Arc<P>>>);
    impl<P: Pool> Drop for Late<P> {
        fn drop(&mut self) {
            drop(self.1.take());
            drop((self.0.acquire(), self.0.acquire()));
        }
    }
    macro_rules! check {
        ($pool:ty) => {{
            thread_local! {
                static BEFORE: RefCell<Option<Late<$pool>>> = const { RefCell::new(None) };
                static AFTER: RefCell<Option<Late<$pool>>> = const { RefCell::new(None) };
            }
            let watch = Watch::default();
            let pool = Arc::new(<$pool>::with_recycle(64, watch.clone()));
            on_another_thread(|| {
                // In either order of destruction, one of the two is dropped before the cache and one after it.
                BEFORE.with(|late| {
                    late.replace(Some(Late(pool.clone(), None)));
                });
                let guard = pool.acquire_owned();
                drop(pool.acquire());
                AFTER.with(|late| {
                    late.replace(Some(Late(pool.clone(), Some(guard))));
                });
            });
            assert_balanced("teardown", &*pool, 0);
            assert_eq!(pool.len(), 2);
            drop(pool);
            assert_eq!(watch.live(), 0);
        }};
    }
    check!(Declared);
    check!(AnyKey);
}

#[test]
fn objects_whose_drop_uses_pools_can_be_freed_with_their_pool() {
    /// Uses another pool in its drop.
    struct Chained(Option<Arc<ThreadCachedPool<Tracked, Watch, TrackedObjects>>>);
    impl Drop for Chained {
        fn drop(&mut self) {
            if let Some(pool) = &self.0 {
                drop((pool.acquire(), pool.acquire()));
            }
        }
    }
    #[derive(Clone)]
    struct Chain(Arc<Declared>);
    impl zerospan_core::Recycle<Chained> for Chain {
        fn create(&self) -> Chained {
            Chained(Some(self.0.clone()))
        }
        fn reset(&self, _: &mut Chained) {}
        fn heap_bytes(&self, _: &Chained) -> usize {
            0
        }
    }
    let watch = Watch::default();
    let inner = Arc::new(Declared::with_recycle(64, watch.clone()));
    let outer = Arc::new(ThreadCachedPool::<_, _>::with_recycle(
        64,
        Chain(inner.clone()),
    ));
    on_another_thread({
        let outer = outer.clone();
        move || drop((outer.acquire(), outer.acquire()))
    });
    drop((outer.acquire(), outer.acquire()));
    drop(outer);
    assert_balanced("inner", &*inner, 0);
    assert_eq!(inner.len(), 2);
    drop(inner);
    assert_eq!(watch.live(), 0);
}
