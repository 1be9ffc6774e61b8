//! Charges for the memory that objects on loan retain.

use zerospan_pool::{Excess, ThreadCachedPool};

const LIMIT: usize = 10_000;

fn pool() -> ThreadCachedPool<Vec<u8>> {
    ThreadCachedPool::new(0).with_byte_limit(LIMIT)
}

#[test]
fn memory_that_stays_takes_room_in_the_pool_until_it_is_freed() {
    let pool = pool();
    let (mut one, mut other) = (Excess::default(), Excess::default());
    assert!(one.settle(&pool, 6_000, LIMIT, true));
    assert!(!other.settle(&pool, 6_000, LIMIT, true), "there is no room");
    assert!(other.settle(&pool, 4_000, LIMIT, true));
    assert!(one.settle(&pool, 5_000, LIMIT, true));
    assert!(pool.reserve(1).is_none(), "no less is charged for less");
    drop(other);
    assert!(one.settle(&pool, 9_000, LIMIT, true));
    assert!(pool.reserve(1_001).is_none());
    assert!(pool.reserve(1_000).is_some());
    assert!(one.settle(&pool, 9_000, 9_000, true));
    assert!(!one.settle(&pool, 9_000, 8_999, true), "more than may stay");
    assert!(pool.reserve(LIMIT).is_some(), "all of it is given back");
}

#[test]
fn memory_that_64_uses_in_a_row_did_not_need_is_to_be_freed() {
    let pool = pool();
    let mut excess = Excess::default();
    let mut settle = |is_needed| excess.settle(&pool, 5_000, LIMIT, is_needed);
    for _ in 0..2 {
        assert!(settle(true));
        assert!((0..63).all(|_| settle(false)));
    }
    assert!(!settle(false));
    assert!(pool.reserve(LIMIT).is_some());
    assert!(settle(false), "a charge begins without idle uses");
}
