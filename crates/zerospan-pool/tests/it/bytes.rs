//! Pools that are bounded by bytes.

use crate::backends::on_another_thread;
use crate::share::found_elsewhere;
use proptest::prelude::*;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use zerospan_core::Recycle;
use zerospan_pool::{Pool, Pooled, Reservation, ThreadCachedPool};

/// An object that claims to retain some bytes.
struct Block {
    bytes: usize,
    /// The weight of all blocks that exist.
    alive: Arc<AtomicUsize>,
}

const WEIGHT: usize = mem::size_of::<Block>();

impl Block {
    fn resize(&mut self, bytes: usize) {
        self.alive.fetch_add(bytes, Ordering::Relaxed);
        self.alive.fetch_sub(self.bytes, Ordering::Relaxed);
        self.bytes = bytes;
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        self.alive.fetch_sub(WEIGHT + self.bytes, Ordering::Relaxed);
    }
}

#[derive(Default)]
struct Blocks(Arc<AtomicUsize>);

impl Recycle<Block> for Blocks {
    fn create(&self) -> Block {
        self.0.fetch_add(WEIGHT, Ordering::Relaxed);
        Block {
            bytes: 0,
            alive: Arc::clone(&self.0),
        }
    }

    fn reset(&self, _: &mut Block) {}

    fn heap_bytes(&self, block: &Block) -> usize {
        block.bytes
    }
}

type BlockPool = ThreadCachedPool<Block, Blocks>;

fn pool(limit: usize) -> (BlockPool, Arc<AtomicUsize>) {
    let blocks = Blocks::default();
    let alive = Arc::clone(&blocks.0);
    let pool = ThreadCachedPool::with_recycle(0, blocks)
        .with_retention_limit(usize::MAX)
        .with_byte_limit(limit);
    (pool, alive)
}

#[derive(Clone, Debug)]
enum Step {
    Acquire,
    /// Gives a block a size and returns it.
    Return(usize, usize),
    ReturnElsewhere(usize, usize),
    /// Acquires and returns a number of blocks on a thread that ends.
    VisitElsewhere(usize),
    Reserve(usize),
    Release(usize),
    WarmUp(usize),
    Shrink(usize),
    Flush,
}

fn step() -> impl Strategy<Value = Step> {
    let which = 0..64_usize;
    let bytes = prop_oneof![8 => 0..2_000_usize, 2 => 0..100_000_usize, 1 => Just(usize::MAX / 4)];
    prop_oneof![
        20 => Just(Step::Acquire),
        16 => (which.clone(), bytes.clone()).prop_map(|(which, bytes)| Step::Return(which, bytes)),
        2 => (which.clone(), bytes.clone()).prop_map(|(which, bytes)| Step::ReturnElsewhere(which, bytes)),
        1 => (0..40_usize).prop_map(Step::VisitElsewhere),
        2 => bytes.prop_map(Step::Reserve),
        2 => which.prop_map(Step::Release),
        1 => (0..20_usize).prop_map(Step::WarmUp),
        1 => (0..20_usize).prop_map(Step::Shrink),
        1 => Just(Step::Flush),
    ]
}

proptest! {
    #[test]
    fn objects_and_reservations_never_take_more_than_the_bytes(
        limit in prop_oneof![0..5_000_usize, 0..500_000_usize],
        steps in prop::collection::vec(step(), 0..300),
    ) {
        let (pool, alive) = pool(limit);
        let mut lent: Vec<Pooled<&BlockPool>> = Vec::new();
        let mut reserved: Vec<Reservation> = Vec::new();
        for step in steps {
            match step {
                Step::Acquire => lent.push(pool.acquire()),
                Step::Return(which, bytes) | Step::ReturnElsewhere(which, bytes) if !lent.is_empty() => {
                    let mut block = lent.swap_remove(which % lent.len());
                    block.resize(bytes);
                    if matches!(step, Step::Return(..)) {
                        drop(block);
                    } else {
                        on_another_thread(move || drop(block));
                    }
                }
                Step::Return(..) | Step::ReturnElsewhere(..) => {}
                Step::VisitElsewhere(count) => {
                    on_another_thread(|| drop((0..count).map(|_| pool.acquire()).collect::<Vec<_>>()));
                }
                Step::Reserve(bytes) => reserved.extend(pool.reserve(bytes)),
                Step::Release(which) if !reserved.is_empty() => {
                    drop(reserved.swap_remove(which % reserved.len()));
                }
                Step::Release(_) => {}
                Step::WarmUp(count) => drop(pool.warm_up(count)),
                Step::Shrink(keep) => drop(pool.shrink(keep)),
                Step::Flush => pool.flush(),
            }
            let in_use: usize = lent.iter().map(|block| WEIGHT + block.bytes).sum();
            let kept = alive.load(Ordering::Relaxed) - in_use;
            let set_aside: usize = reserved.iter().map(Reservation::units).sum();
            prop_assert!(kept + set_aside <= limit, "{kept} and {set_aside} of {limit}");
            let stats = pool.stats();
            prop_assert_eq!(stats.lent(), lent.len() as u64);
            let kept_count = stats.warmed_up + stats.returns - stats.hits - stats.shrunk;
            prop_assert_eq!(pool.len() as u64, kept_count);
        }
        drop((lent, reserved));
        pool.shrink(0);
        prop_assert_eq!(pool.len(), 0);
        // Nothing is lost: all of the room is there.
        prop_assert!(pool.reserve(limit).is_some());
    }
}

#[test]
fn as_many_objects_are_kept_as_their_bytes_allow() {
    let (pool, _) = pool((WEIGHT + 1_000) * 10_000);
    let wave = |bytes| {
        let mut blocks: Vec<_> = (0..10_000).map(|_| pool.acquire()).collect();
        for block in &mut blocks {
            block.resize(bytes);
        }
    };
    wave(990);
    let before = pool.stats();
    wave(990);
    let after = pool.stats();
    assert_eq!((after.hits - before.hits, after.misses), (10_000, 10_000));
    assert_eq!(after.discards.total(), 0);
    assert_eq!(pool.capacity(), usize::MAX);
    wave(10_000);
    assert!((900..1_100).contains(&pool.len()), "{}", pool.len());
}

#[test]
fn an_object_larger_than_a_caches_share_is_kept_in_the_depot() {
    let (pool, _) = pool(1 << 20);
    let large = |bytes| {
        let mut block = pool.acquire();
        block.resize(bytes);
    };
    large(900 << 10);
    assert_eq!(pool.acquire().bytes, 900 << 10);
    assert_eq!(pool.len(), 1);
    large(2 << 20);
    assert_eq!((pool.len(), pool.stats().discards.full), (0, 1));
}

#[test]
fn a_thread_keeps_its_share_of_the_bytes_and_hands_the_rest_over() {
    // A share of 64 KiB.
    let returned = |count, bytes| {
        let (pool, _) = pool(1 << 20);
        let mut blocks: Vec<_> = (0..count).map(|_| pool.acquire()).collect();
        for block in &mut blocks {
            block.resize(bytes);
        }
        drop(blocks);
        pool
    };
    for (count, bytes, handed_over) in [
        (6, 10_000, 0),
        (7, 10_000, 6),
        (1, (64 << 10) - WEIGHT, 0),
        (1, (64 << 10) - WEIGHT + 1, 1),
        (32, 0, 0),
        (33, 0, 16),
    ] {
        let found = found_elsewhere(&returned(count, bytes));
        assert_eq!(found, handed_over, "{count} of {bytes} bytes");
    }
    // An eighth of the bytes is less.
    let (small, _) = pool(8 * (WEIGHT + 100));
    for (bytes, handed_over) in [(100, 0), (101, 1)] {
        small.acquire().resize(bytes);
        assert_eq!(found_elsewhere(&small), handed_over);
        drop(small.acquire().detach());
    }
}

#[test]
fn the_block_that_was_returned_last_is_lent_first_also_if_it_takes_most_of_the_share() {
    let (pool, _) = pool(1 << 20);
    let mut blocks: Vec<_> = (0..33).map(|_| pool.acquire()).collect();
    for block in &mut blocks {
        block.resize(1_024 - WEIGHT);
    }
    let mut large = blocks.pop().expect("33 blocks");
    drop(blocks);
    large.resize(50_000 - WEIGHT);
    drop(large);
    // With it, 15 blocks of 1,024 bytes are within the 64 KiB of the share.
    assert_eq!(found_elsewhere(&pool), 17);
    assert_eq!(pool.acquire().bytes, 50_000 - WEIGHT);
}

#[test]
fn what_is_idle_is_freed_in_time() {
    let (pool, alive) = pool(1 << 20);
    let trimmed = pool.trimmed();
    drop((0..500).map(|_| pool.acquire()).collect::<Vec<_>>());
    let trimmed_now = trimmed.upgrade().expect("the pool lives");
    let now = std::time::Instant::now();
    let next = trimmed_now.trim(now).expect("something is kept");
    assert_eq!(pool.len(), 500, "no interval has passed");
    assert_eq!(trimmed_now.trim(next), None);
    // A cache of this thread keeps its share.
    assert!(pool.len() <= 32, "{}", pool.len());
    assert_eq!(pool.stats().shrunk, 500 - pool.len() as u64);
    assert_eq!(alive.load(Ordering::Relaxed), pool.len() * WEIGHT);
    drop((trimmed_now, pool));
    assert!(trimmed.upgrade().is_none());
    assert_eq!(alive.load(Ordering::Relaxed), 0);
}
