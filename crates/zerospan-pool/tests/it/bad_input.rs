//! Extreme capacities and limits.

use crate::backends::{Text, Texts, assert_balanced, on_every_backend};
use zerospan_pool::{Pool, ThreadCachedPool};

#[test]
fn capacity_0_keeps_nothing_and_lends_fresh_objects() {
    fn check(name: &str, pool: impl Pool<Object = String>) {
        assert_eq!(pool.warm_up(10), 0, "{name}");
        for _ in 0..3 {
            pool.acquire().push('x');
            assert_eq!(pool.acquire().as_str(), "", "{name}");
        }
        assert_eq!((pool.len(), pool.capacity()), (0, 0), "{name}");
        assert_eq!(pool.stats().discards.full, 6, "{name}");
        assert_eq!(pool.shrink(0), 0, "{name}");
        assert_balanced(name, &pool, 0);
    }
    on_every_backend!(check, 0, Text, usize::MAX, Texts);
}

#[test]
fn a_capacity_of_usize_max_is_no_limit() {
    fn check(name: &str, pool: &impl Pool<Object = String>) {
        let many: Vec<_> = (0..500).map(|_| pool.acquire()).collect();
        drop(many);
        assert_eq!((pool.len(), pool.capacity()), (500, usize::MAX), "{name}");
        assert_eq!(pool.warm_up(100), 100, "{name}");
        assert_eq!(pool.shrink(usize::MAX), 0, "{name}");
        assert_eq!(pool.shrink(0), 600, "{name}");
        assert_balanced(name, pool, 0);
    }
    check(
        "thread-cached",
        &ThreadCachedPool::<String>::new(usize::MAX),
    );
    #[cfg(feature = "object-pool")]
    check(
        "object pool",
        &zerospan_pool::ObjectPool::<String>::new(usize::MAX),
    );
}

#[cfg(feature = "array-queue")]
#[test]
fn a_queue_capacity_above_the_limit_is_an_error_with_value_and_remedy() {
    let error = zerospan_pool::ArrayQueuePool::<String>::new(usize::MAX).expect_err("an error");
    assert_eq!(error.capacity, usize::MAX);
    let text = error.to_string();
    assert!(text.contains(&usize::MAX.to_string()), "{text}");
    assert!(text.contains("at most 16777216"), "{text}");
    assert!(text.contains("ThreadCachedPool"), "{text}");
}

#[test]
fn retention_limit_0_keeps_objects_without_heap_memory_only() {
    fn check(name: &str, pool: impl Pool<Object = String>) {
        drop(pool.acquire());
        assert_eq!(pool.len(), 0, "{name}");
        assert_eq!(pool.stats().discards.too_large, 1, "{name}");
        let mut text = pool.acquire();
        *text = String::new();
        drop(text);
        assert_eq!(pool.len(), 1, "{name}");
        assert_balanced(name, &pool, 0);
    }
    on_every_backend!(check, 8, Text, 0, Texts);
}

#[test]
fn large_objects_need_no_stack_for_a_cache() {
    /// 1 MiB, on the heap.
    #[derive(Clone, Copy)]
    struct Blocks;
    impl zerospan_core::Recycle<Box<[u8; 1 << 20]>> for Blocks {
        fn create(&self) -> Box<[u8; 1 << 20]> {
            vec![0; 1 << 20].try_into().expect("as long as that")
        }
        fn reset(&self, block: &mut Box<[u8; 1 << 20]>) {
            block.fill(0);
        }
        fn heap_bytes(&self, _: &Box<[u8; 1 << 20]>) -> usize {
            1 << 20
        }
    }
    let pool = ThreadCachedPool::<_, _>::with_recycle(8, Blocks).with_retention_limit(1 << 20);
    pool.acquire()[7] = 1;
    assert_eq!(pool.acquire()[7], 0);
    assert_eq!(pool.stats().hits, 1);
}
