//! The objects that one thread's cache keeps for itself, and those that other threads find.

use crate::backends::{TrackedObjects, Watch, assert_balanced, on_another_thread};
use zerospan_pool::{Pool, Pooled, ThreadCachedPool};

/// Returns how many objects another thread finds, which takes them away.
pub(crate) fn found_elsewhere(pool: &(impl Pool<Object: Send> + Sync)) -> u64 {
    on_another_thread(|| {
        let before = pool.stats().hits;
        let objects: Vec<_> = (0..=pool.len()).map(|_| pool.acquire()).collect();
        let found = pool.stats().hits - before;
        objects.into_iter().for_each(|object| drop(object.detach()));
        found
    })
}

fn pool(capacity: usize) -> ThreadCachedPool<crate::backends::Tracked, Watch, TrackedObjects> {
    ThreadCachedPool::with_recycle(capacity, Watch::default())
}

#[test]
fn a_thread_keeps_its_share_and_hands_the_rest_over_by_half_shares() {
    // At most 32 objects, and at most an eighth of the capacity.
    for (capacity, share) in [(800, 32), (256, 32), (64, 8), (8, 1), (7, 0)] {
        for returned in [
            1,
            share / 2,
            share,
            share + 1,
            share + share / 2,
            2 * share + 1,
        ] {
            let returned = returned.min(capacity);
            let pool = pool(capacity);
            drop((0..returned).map(|_| pool.acquire()).collect::<Vec<_>>());
            let (more, half) = (returned.saturating_sub(share), share.div_ceil(2).max(1));
            let handed_over = more.div_ceil(half) * half;
            let found = found_elsewhere(&pool);
            assert_eq!(found, handed_over as u64, "{returned} of {capacity}");
            assert_eq!(pool.len(), returned - handed_over);
            assert_balanced("shares", &pool, 0);
        }
    }
}

#[test]
fn a_thread_takes_half_a_share_of_what_others_left() {
    for (capacity, half) in [(800, 16), (64, 4), (8, 1), (7, 1)] {
        let pool = pool(capacity);
        assert_eq!(pool.warm_up(usize::MAX), capacity);
        let object = pool.acquire();
        assert_eq!(found_elsewhere(&pool), (capacity - half) as u64);
        object.release();
        let objects: Vec<Pooled<_>> = (0..half).map(|_| pool.acquire()).collect();
        assert_eq!(pool.stats().lent(), half as u64);
        drop(objects);
        assert_balanced("halves", &pool, 0);
    }
}
