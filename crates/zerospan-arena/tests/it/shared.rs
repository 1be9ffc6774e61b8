use proptest::prelude::{any, prop, prop_assert_eq, proptest};
use std::thread;
use zerospan_arena::{LimitError, SharedAttributeArena, SharedAttributeSet};
use zerospan_core::dev::{Canary, conformance};
use zerospan_core::{AttributeValue, Footprint, Reset};

#[test]
fn threads_share_one_arena() {
    let mut arena = SharedAttributeArena::new();
    for _ in 0..3 {
        let share = arena.share();
        let copies: Vec<(String, &str)> = thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|thread| {
                    let share = &share;
                    scope.spawn(move || {
                        (0..200)
                            .map(|index| {
                                let text = format!("{thread}/{}", "ü".repeat(index));
                                let copy = share.alloc_str(&text);
                                (text, copy)
                            })
                            .collect::<Vec<_>>()
                    })
                })
                .collect();
            threads
                .into_iter()
                .flat_map(|thread| thread.join().unwrap_or_default())
                .collect()
        });
        assert_eq!(copies.len(), 800);
        for (text, copy) in &copies {
            assert_eq!(text, copy);
        }
    }
}

#[test]
fn allocations_outlive_the_share_but_not_the_reset() {
    let mut arena = SharedAttributeArena::new();
    let (text, set) = {
        let share = arena.share();
        (
            share.alloc_str("text"),
            share.create_attributes(&[("a", "b")]),
        )
    };
    assert_eq!(text, "text");
    assert_eq!(set.iter().count(), 1);
    Reset::reset(&mut arena);
    assert_eq!(arena.share().allocated_bytes(), 0);
}

#[test]
fn shared_sets_are_sources() {
    let mut arena = SharedAttributeArena::new();
    let share = arena.share();
    let pairs = [("a", "1"), ("ü", "ß"), ("", ""), ("key", "")];
    let set = share.create_attributes(&pairs);
    conformance::check_source(
        &set,
        &pairs.map(|(key, value)| (key, AttributeValue::Str(value))),
    );
    conformance::check_source::<_, &str>(&share.create_attributes(&[]), &[]);
    assert_eq!(set.to_key_values().map(|list| list.len()), Ok(4));
    assert!(format!("{set:?}").contains("ß"));
}

#[test]
fn reset_merges_several_slabs_into_one_that_is_large_enough() {
    let mut arena = SharedAttributeArena::new();
    let fill = |arena: &mut SharedAttributeArena| {
        let share = arena.share();
        for _ in 0..100 {
            share.alloc_str(&"x".repeat(97));
            share.create_attributes(&[("key", "value")]);
        }
        assert!(share.allocated_bytes() >= 9700 + 800);
    };
    fill(&mut arena);
    arena.reset();
    let capacity = arena.capacity();
    for _ in 0..3 {
        fill(&mut arena);
        assert_eq!(arena.capacity(), capacity);
        arena.reset();
        assert_eq!(arena.capacity(), capacity);
    }
    assert!(arena.heap_bytes() >= capacity);
}

#[test]
fn a_shared_reset_keeps_no_more_than_the_retention_limit() {
    for max in [0, 1, 500, 5000] {
        let mut arena = SharedAttributeArena::with_capacity(9000).with_retention_limit(max);
        for bytes in [1, 300, 20_000] {
            let share = arena.share();
            share.alloc_str(&"x".repeat(bytes));
            share.create_attributes(&[("key", "value"); 10]);
            arena.reset();
            assert!(arena.capacity() <= max, "{} > {max}", arena.capacity());
        }
    }
}

#[test]
fn a_shared_limit_is_never_exceeded() {
    for limit in [0, 1, 100, 1024, 5000, 100_000] {
        let mut arena = SharedAttributeArena::with_limit(limit);
        for _ in 0..2 {
            let share = arena.share();
            assert_eq!(share.try_alloc_str(""), Ok(""));
            let refused = loop {
                if let Err(error) = share.try_create_attributes(&[("key", "value")]) {
                    break error;
                }
            };
            assert_eq!(refused.limit, Some(limit));
            let error = share.try_alloc_str(&"x".repeat(limit + 1));
            assert_eq!(error.map_err(|error| error.requested), Err(limit + 1));
            assert!(arena.capacity() <= limit);
            arena.reset();
            assert!(arena.capacity() <= limit);
        }
    }
}

#[test]
fn a_shared_capacity_beyond_memory_is_an_error() {
    for capacity in [usize::MAX, isize::MAX as usize] {
        let error: Result<(), LimitError> =
            SharedAttributeArena::try_with_capacity(capacity).map(|_| ());
        assert_eq!(error.map_err(|error| error.requested), Err(capacity));
    }
    let mut arena = SharedAttributeArena::with_capacity(0);
    assert_eq!(arena.share().concat(("a", 1)), "a1");
}

#[test]
fn reused_shared_memory_reveals_nothing_of_an_earlier_request() {
    let mut arena = SharedAttributeArena::new();
    for round in 0..4_u16 {
        let (mut now, before) = (Canary::new(round + 1), Canary::new(round));
        let share = arena.share();
        let (key, value) = (now.text(16), now.text(50 - 10 * usize::from(round)));
        let set = share.create_attributes(&[(key.as_str(), value.as_str()); 5]);
        let text = share.concat((value.as_str(), round));
        let all = format!("{set:?}{text}{share:?}");
        assert!(now.is_in(all.as_bytes()));
        assert!(!before.is_in(all.as_bytes()));
    }
}

proptest! {
    #[test]
    fn a_shared_arena_reads_like_owned_values(
        rounds in prop::collection::vec(prop::collection::vec((any::<String>(), "[a-zü]{0,300}"), 0..30), 1..4)
    ) {
        let mut arena = SharedAttributeArena::with_capacity(100);
        for round in &rounds {
            let pairs: Vec<(&str, &str)> = round.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
            let share = arena.share();
            let sets: Vec<_> = pairs.chunks(3).map(|pairs| share.create_attributes(pairs)).collect();
            let texts: Vec<&str> = pairs.iter().map(|(k, v)| share.concat((*k, *v))).collect();
            let read: Vec<(&str, AttributeValue<'_>)> =
                sets.iter().flat_map(SharedAttributeSet::iter).map(|a| (a.key, a.value)).collect();
            let expected: Vec<(&str, AttributeValue<'_>)> =
                pairs.iter().map(|(k, v)| (*k, AttributeValue::Str(v))).collect();
            prop_assert_eq!(read, expected);
            for (text, (key, value)) in texts.iter().zip(&pairs) {
                prop_assert_eq!(*text, format!("{key}{value}"));
            }
        }
    }
}

#[test]
fn a_slab_has_twice_the_size_of_the_last_and_a_reset_merges_them() {
    let mut arena = SharedAttributeArena::new();
    assert_eq!((arena.capacity(), arena.heap_bytes()), (0, 0));
    let share = arena.share();
    for length in [1, 1023, 1, 2047] {
        share.alloc_str(&"x".repeat(length));
    }
    assert_eq!(share.allocated_bytes(), 3072);
    assert_eq!(arena.capacity(), 1024 + 2048);
    arena.reset();
    assert_eq!(arena.capacity(), 3072);

    let share = arena.share();
    share.alloc_str(&"x".repeat(3072));
    share.alloc_str(&"x".repeat(10_000));
    assert_eq!(arena.capacity(), 3072 + 10_000, "a slab holds any text");
}

#[test]
fn the_memory_of_sets_is_counted_as_that_of_text_is() {
    /// The offsets of a key and its value.
    const ENDS: usize = 2 * size_of::<usize>();
    let mut arena = SharedAttributeArena::with_capacity(5000);
    assert_eq!(arena.capacity(), 5000);
    let share = arena.share();
    assert_eq!(share.allocated_bytes(), 0);
    share.create_attributes(&[("key", "value"); 2]);
    assert_eq!(share.allocated_bytes(), 2 * (8 + ENDS));
    assert!(format!("{share:?}").contains(&(2 * (8 + ENDS)).to_string()));
    assert_eq!(arena.capacity(), 5000 + 1024);
    // One set more than the slab holds.
    let sets = vec![("", ""); 1024 / ENDS + 1];
    arena.share().create_attributes(&sets);
    assert_eq!(arena.capacity(), 5000 + 1024 + 2048);
    arena.reset();
    assert_eq!(arena.capacity(), 5000 + 1024 + 2048);

    let lists = arena.heap_bytes() - arena.capacity();
    let one_list = SharedAttributeArena::with_capacity(10).heap_bytes() - 10;
    assert_eq!(lists, 2 * one_list);
    assert!(one_list > 0);
}

#[test]
fn a_shared_arena_is_filled_to_the_last_byte_of_its_limit() {
    let mut arena = SharedAttributeArena::with_limit(1500);
    let share = arena.share();
    share.alloc_str(&"x".repeat(1024));
    share.alloc_str(&"x".repeat(400));
    share.alloc_str(&"x".repeat(76));
    let refused = share.try_alloc_str("x");
    assert_eq!(
        refused.map_err(|error| (error.requested, error.held, error.limit)),
        Err((1, 1500, Some(1500)))
    );
    assert_eq!(arena.capacity(), 1500);
}
