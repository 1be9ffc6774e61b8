//! Models of the depot and the shared counters: `cargo xtask loom`.
//!
//! Explores every order in which three threads can use the depot. Objects are numbered: none may be lost or duplicated, and
//! the number of kept objects must not exceed the capacity.

use crate::pool::Pool;
use crate::thread_cached::depot::Depot;
use crate::thread_cached::pool::ThreadCachedPool;
use crate::thread_cached::room::Reservation;
use loom::thread;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use zerospan_core::Recycle;

/// Asserts that the depot and `elsewhere` together hold `expected` objects, each once.
fn assert_whole(depot: &Depot<usize>, mut elsewhere: Vec<usize>, expected: usize) {
    elsewhere.extend(depot.take(usize::MAX).into_iter().map(|(number, _)| number));
    let distinct: BTreeSet<usize> = elsewhere.iter().copied().collect();
    assert_eq!(distinct.len(), elsewhere.len(), "an object is duplicated");
    assert_eq!(elsewhere.len(), expected, "an object is lost");
}

#[test]
fn single_objects_are_neither_lost_nor_duplicated_and_the_bound_holds() {
    loom::model(|| {
        let depot = Arc::new(Depot::new(2));
        let threads: Vec<_> = (0..2)
            .map(|number| {
                let depot = Arc::clone(&depot);
                thread::spawn(move || {
                    let rejected = depot.put_one(number, 1).err();
                    let taken = depot.take_one();
                    (rejected, taken)
                })
            })
            .collect();
        let rejected = depot.put_one(2, 1).err();
        assert!(depot.len() <= 2);
        let mut elsewhere: Vec<usize> = rejected.into_iter().collect();
        for thread in threads {
            if let Ok((rejected, taken)) = thread.join() {
                elsewhere.extend(rejected.into_iter().chain(taken));
            }
        }
        assert!(depot.len() <= 2);
        assert_whole(&depot, elsewhere, 3);
    });
}

#[test]
fn batches_keep_their_units_of_the_capacity() {
    const CAPACITY: usize = 4;
    loom::model(|| {
        let depot = Arc::new(Depot::new(CAPACITY));
        for number in 0..2 {
            assert_eq!(depot.put_one(number, 1), Ok(()));
        }
        // One cache fills and closes while another extends, spills and closes.
        let filler = {
            let depot = Arc::clone(&depot);
            thread::spawn(move || {
                let mut held = Vec::new();
                let put = |object, weight| held.push((object, weight));
                let (lent, quota) = depot.fill(0, 2, 2, put);
                assert_eq!(quota, held.len() + usize::from(lent.is_some()));
                // The lent object leaves its unit unused.
                let unused = quota - held.len();
                depot.close(held.drain(..), unused);
                lent
            })
        };
        let mut held = vec![(10, 1), (11, 1)];
        let mut quota = depot.extend(1, 2, std::iter::empty()).unwrap_or(0);
        let rejected = held.split_off(quota.min(2));
        let before = held.len();
        let surplus = std::iter::from_fn(|| held.pop()).take(1);
        let more = depot.extend(1, 1, surplus).unwrap_or(0);
        quota = quota - (before - held.len()) + more;
        assert!(held.len() <= quota);
        let unused = quota - held.len();
        depot.close(held.drain(..), unused);

        let lent = filler.join().ok().flatten();
        let mut elsewhere: Vec<usize> = rejected.into_iter().map(|(number, _)| number).collect();
        elsewhere.extend(lent);
        assert!(depot.len() <= CAPACITY);
        // All units are back: the depot accepts objects up to the capacity, and no more.
        let kept = depot.len();
        for number in kept..CAPACITY {
            assert_eq!(depot.put_one(100 + number, 1), Ok(()), "capacity is lost");
        }
        assert_eq!(depot.put_one(200, 1), Err(200), "capacity is duplicated");
        assert_whole(&depot, elsewhere, 4 + CAPACITY - kept);
    });
}

#[test]
fn weights_and_reservations_together_stay_within_the_limit_and_none_is_lost() {
    const LIMIT: usize = 10;
    loom::model(|| {
        let depot = Arc::new(Depot::new(LIMIT));
        assert_eq!(depot.put_one(0, 4), Ok(()));
        // One cache fills, and returns what it got with another weight, while a reservation comes and goes.
        let cache = {
            let depot = Arc::clone(&depot);
            thread::spawn(move || {
                let (lent, quota) = depot.fill(0, 2, 5, |_, _| {});
                let lent = lent?;
                // It has grown from 4 to 6.
                let room = depot.extend(6 - quota, 6 - quota, std::iter::empty());
                match room {
                    Some(more) => depot.close([(lent, 6)].into_iter(), quota + more - 6),
                    None => {
                        depot.close(std::iter::empty(), quota);
                        return Some(lent);
                    }
                }
                None
            })
        };
        let reserved = Reservation::new(depot.room(), 5);
        let rejected = depot.put_one(1, 3).err();
        drop(reserved);
        let mut elsewhere: Vec<usize> = rejected.into_iter().collect();
        elsewhere.extend(cache.join().ok().flatten());
        let kept = depot.take(usize::MAX);
        let weight: usize = kept.iter().map(|(_, weight)| weight).sum();
        assert!(weight <= LIMIT);
        assert_eq!(kept.len() + elsewhere.len(), 2, "an object is lost");
        // All units are back, and no more.
        let all = Reservation::new(depot.room(), LIMIT);
        assert!(all.is_some(), "capacity is lost");
        assert!(depot.room().is_empty(), "capacity is duplicated");
    });
}

/// Numbers its objects.
struct Numbers(AtomicUsize);

impl Recycle<usize> for Numbers {
    fn create(&self) -> usize {
        self.0.fetch_add(1, Ordering::Relaxed)
    }

    fn reset(&self, _: &mut usize) {}

    fn heap_bytes(&self, _: &usize) -> usize {
        0
    }
}

#[test]
fn a_pool_lends_no_object_twice_and_counts_every_loan() {
    loom::model(|| {
        // Too small for caches: every operation uses the depot and the shared counters.
        let pool = Arc::new(ThreadCachedPool::<_, _>::with_recycle(
            1,
            Numbers(AtomicUsize::new(0)),
        ));
        let other = {
            let pool = Arc::clone(&pool);
            thread::spawn(move || {
                let guard = pool.acquire();
                let number = *guard;
                drop(guard);
                number
            })
        };
        let (one, two) = (pool.acquire(), pool.acquire());
        assert_ne!(*one, *two);
        drop(one);
        assert!(pool.len() <= 1);
        drop(two);
        assert!(other.join().is_ok());
        let stats = pool.stats();
        assert_eq!(stats.lent(), 0);
        assert_eq!(stats.hits + stats.misses, 3);
        assert_eq!(pool.len() as u64, stats.returns - stats.hits);
        assert!(pool.len() <= 1);
    });
}
