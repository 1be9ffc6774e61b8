use opentelemetry::KeyValue;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use zerospan_arena::TypedArena;
use zerospan_core::{CapacityError, Footprint};

/// Counts its drops; panics in them on request.
struct Counted<'c> {
    drops: &'c Cell<usize>,
    panics: bool,
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.drops.set(self.drops.get() + 1);
        assert!(!self.panics, "a destructor that panics");
    }
}

fn counted(drops: &Cell<usize>) -> Counted<'_> {
    Counted {
        drops,
        panics: false,
    }
}

#[test]
fn destructors_run_exactly_once() {
    let drops = Cell::new(0);
    let mut arena = TypedArena::with_capacity(3);
    for _ in 0..100 {
        arena.alloc(counted(&drops));
    }
    assert_eq!((arena.len(), drops.get()), (100, 0));
    arena.reset();
    assert_eq!((arena.len(), drops.get()), (0, 100));
    arena.reset();
    assert_eq!(drops.get(), 100);
    arena.alloc(counted(&drops));
    drop(arena);
    assert_eq!(drops.get(), 101);

    let arena = TypedArena::new();
    arena.alloc(counted(&drops));
    let moved_out = arena.into_vec();
    assert_eq!(drops.get(), 101);
    drop(moved_out);
    assert_eq!(drops.get(), 102);
}

#[test]
fn a_destructor_that_panics_does_not_keep_the_others_from_running() {
    let drops = Cell::new(0);
    let mut arena = TypedArena::with_capacity(2);
    for index in 0..10 {
        arena.alloc(Counted {
            drops: &drops,
            panics: index == 4,
        });
    }
    let outcome = catch_unwind(AssertUnwindSafe(|| arena.reset()));
    assert!(outcome.is_err());
    assert_eq!(drops.get(), 10, "each once");
    assert!(arena.is_empty());
    arena.alloc(counted(&drops));
    drop(arena);
    assert_eq!(drops.get(), 11);
}

#[test]
fn a_full_arena_hands_the_value_back() {
    let arena = TypedArena::with_limit(2);
    arena.alloc(KeyValue::new("a", 1));
    assert!(arena.try_alloc(KeyValue::new("b", 2)).is_ok());
    let refused = arena
        .try_alloc(KeyValue::new("c", 3))
        .map_err(CapacityError::into_value);
    assert_eq!(refused, Err(KeyValue::new("c", 3)));

    let nothing = TypedArena::with_limit(0);
    assert!(nothing.try_alloc(1).is_err());
}

#[test]
#[should_panic(expected = "the collection is full at its fixed capacity of 1")]
fn alloc_in_a_full_arena_panics_with_the_capacity() {
    let arena = TypedArena::with_limit(1);
    arena.alloc(1);
    arena.alloc(2);
}

#[test]
fn values_can_be_changed_in_place() {
    let mut arena = TypedArena::default();
    let first = arena.alloc(String::from("a"));
    let second = arena.alloc(String::from("b"));
    first.push('1');
    second.push('2');
    for text in arena.iter_mut() {
        text.push('!');
    }
    assert_eq!(arena.into_vec(), ["a1!", "b2!"]);
}

#[test]
fn an_extension_stops_at_the_limit_and_leaves_the_rest() {
    let arena = TypedArena::with_limit(5);
    arena.alloc(0);
    let mut values = 1..100;
    assert_eq!(arena.alloc_extend(&mut values), [1, 2, 3, 4]);
    assert_eq!(values.next(), Some(5));
    assert!(arena.alloc_extend(&mut values).is_empty());
    assert_eq!(values.next(), Some(6), "no value is lost");
}

#[test]
fn a_wrong_size_hint_allocates_no_memory() {
    struct Lying(u32, (usize, Option<usize>));
    impl Iterator for Lying {
        type Item = u32;
        fn next(&mut self) -> Option<u32> {
            self.0 = self.0.checked_sub(1)?;
            Some(self.0)
        }
        fn size_hint(&self) -> (usize, Option<usize>) {
            self.1
        }
    }
    for hint in [(usize::MAX, None), (1 << 40, Some(0)), (0, Some(0))] {
        let arena = TypedArena::new();
        assert_eq!(arena.alloc_extend(&mut Lying(3, hint)), [2, 1, 0]);
        let mut many = Lying(5000, hint);
        assert_eq!(arena.alloc_extend(&mut many).len(), 5000);
    }
}

#[test]
fn an_iterator_that_panics_leaves_the_values_before_it() {
    let drops = Cell::new(0);
    let arena = TypedArena::with_capacity(1);
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let mut values = (0..5).map(|index| {
            assert!(index < 3, "an iterator that panics");
            counted(&drops)
        });
        arena.alloc_extend(&mut values);
    }));
    assert!(outcome.is_err());
    drop(arena);
    assert_eq!(drops.get(), 3, "each once");
}

#[test]
fn a_capacity_beyond_memory_is_an_error() {
    let error = TypedArena::<u64>::try_with_capacity(usize::MAX)
        .map(|_| ())
        .map_err(|e| e.requested);
    assert_eq!(error, Err(usize::MAX));
    assert!(TypedArena::<u64>::try_with_capacity(0).is_ok());
    // Zero-sized values need no memory.
    assert!(TypedArena::<()>::try_with_capacity(usize::MAX).is_ok());
}

#[test]
fn the_footprint_is_the_room_after_a_reset() {
    let mut arena = TypedArena::with_capacity(10);
    assert_eq!(arena.heap_bytes(), 80);
    for index in 0..100_u64 {
        arena.alloc(index);
    }
    assert_eq!(arena.heap_bytes(), 800);
    arena.reset();
    assert_eq!(arena.heap_bytes(), 800);
    arena.reset();
    assert_eq!(arena.heap_bytes(), 800, "a second reset changes nothing");
    for index in 0..5000_u64 {
        arena.alloc(index);
    }
    arena.reset();
    assert_eq!(
        arena.heap_bytes(),
        8 * 1024,
        "room is kept for at most 1,024"
    );
}

#[test]
fn a_reset_keeps_the_limit() {
    let mut arena = TypedArena::with_limit(1);
    for _ in 0..3 {
        assert!(arena.try_alloc("one").is_ok());
        assert!(arena.try_alloc("two").is_err());
        arena.reset();
    }
}

#[test]
fn an_arena_with_a_value_is_not_empty() {
    let arena = TypedArena::with_limit(2);
    assert!(arena.is_empty());
    arena.alloc(1);
    assert!(!arena.is_empty());
    assert_eq!(format!("{arena:?}"), "TypedArena { len: 1, .. }");
}
