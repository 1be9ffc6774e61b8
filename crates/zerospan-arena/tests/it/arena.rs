use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use zerospan_arena::SpanAttributeArena;
use zerospan_core::dev::Canary;
use zerospan_core::{
    AttributeSource, AttributeValue, DefaultRecycle, Footprint, Recycle, Reset, StrArray,
};

#[test]
fn allocated_text_is_unchanged() {
    let arena = SpanAttributeArena::new();
    let texts: Vec<String> = (0..500).map(|index| "ünï".repeat(index % 40)).collect();
    let copies: Vec<&str> = texts.iter().map(|text| arena.alloc_str(text)).collect();
    assert_eq!(copies, texts);
}

#[test]
fn allocated_bytes_counts_the_allocations() {
    let mut arena = SpanAttributeArena::with_capacity(1000);
    assert_eq!(arena.allocated_bytes(), 0);
    arena.alloc_str("twelve bytes");
    arena.alloc_str("");
    assert_eq!(arena.allocated_bytes(), 12);
    assert!(arena.capacity() >= 1000);
    arena.reset();
    assert_eq!(arena.allocated_bytes(), 0);
}

#[test]
fn reset_merges_several_chunks_into_one_that_is_large_enough() {
    let mut arena = SpanAttributeArena::new();
    let fill = |arena: &SpanAttributeArena| {
        for _ in 0..100 {
            arena.alloc_str(&"x".repeat(97));
        }
    };
    fill(&arena);
    let footprint = arena.heap_bytes();
    arena.reset();
    let capacity = arena.capacity();
    assert!(capacity >= 9700);
    assert!(arena.heap_bytes() >= footprint - 1000, "capacity is kept");
    for _ in 0..3 {
        fill(&arena);
        assert_eq!(arena.capacity(), capacity, "one chunk is enough");
        arena.reset();
        assert_eq!(arena.capacity(), capacity, "a second reset changes nothing");
    }
    arena.reset();
    assert_eq!((arena.allocated_bytes(), arena.capacity()), (0, capacity));
}

#[test]
fn a_reset_keeps_no_more_than_the_retention_limit() {
    for max in [0, 100, 448, 500, 1000, 5000, 70_000] {
        let mut arena = SpanAttributeArena::with_capacity(10_000).with_retention_limit(max);
        for bytes in [1, 300, 20_000, 200_000] {
            arena.alloc_str(&"x".repeat(bytes));
            arena.reset();
            assert!(arena.capacity() <= max, "{} > {max}", arena.capacity());
            assert_eq!(arena.alloc_str("usable"), "usable");
        }
    }
    let mut arena = SpanAttributeArena::new().with_retention_limit(8000);
    arena.alloc_str(&"x".repeat(20_000));
    arena.reset();
    assert!(arena.capacity() >= 3000, "what may be kept is kept");
}

#[test]
fn a_reset_keeps_any_first_capacity() {
    let mut arena = SpanAttributeArena::with_capacity(3 << 20);
    let capacity = arena.capacity();
    arena.alloc_str("x");
    arena.reset();
    assert_eq!(arena.capacity(), capacity);
}

#[test]
fn a_guard_resets_when_its_scope_ends() {
    let mut arena = SpanAttributeArena::new();
    {
        let guard = arena.guard();
        let set = guard.create_attributes(&[("key", "value")]);
        assert_eq!(set.len(), 1);
        assert!(guard.allocated_bytes() > 0);
    }
    assert_eq!(arena.allocated_bytes(), 0);
}

#[test]
fn a_guard_resets_when_a_panic_ends_its_scope() {
    let mut arena = SpanAttributeArena::new();
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let guard = arena.guard();
        guard.alloc_str("begun");
        panic!("in the request");
    }));
    assert!(outcome.is_err());
    assert_eq!(arena.allocated_bytes(), 0);
    assert_eq!(arena.alloc_str("usable"), "usable");
}

#[test]
fn a_forgotten_guard_leaves_the_arena_usable() {
    let mut arena = SpanAttributeArena::new();
    let guard = arena.guard();
    guard.alloc_str("kept");
    std::mem::forget(guard);
    assert_eq!(arena.allocated_bytes(), 4);
    arena.reset();
    assert_eq!(arena.allocated_bytes(), 0);
}

#[test]
fn a_future_that_holds_an_arena_is_send() {
    fn assert_send(_: &(impl Future + Send)) {}
    async fn request() -> usize {
        let mut arena = SpanAttributeArena::new();
        let guard = arena.guard();
        let text = guard.alloc_str("before");
        std::future::ready(()).await;
        text.len()
    }
    let _: fn(SpanAttributeArena) = |arena| drop(std::thread::spawn(move || drop(arena)));
    assert_send(&async {
        let arena = SpanAttributeArena::new();
        let set = arena.create_attributes(&[("key", "value")]);
        std::future::ready(()).await;
        set.len()
    });
    drop(request());
}

#[test]
fn a_pool_can_recycle_arenas() {
    let mut arena: SpanAttributeArena = DefaultRecycle.create();
    assert_eq!(DefaultRecycle.heap_bytes(&arena), 0);
    arena.alloc_str("text");
    DefaultRecycle.reset(&mut arena);
    assert_eq!(arena.allocated_bytes(), 0);
    assert!(DefaultRecycle.heap_bytes(&arena) >= 448);
    Reset::reset(&mut arena);
    assert!(format!("{arena:?}").contains("allocated_bytes: 0"));
}

/// Returns all bytes that can be read from a set.
fn read(set: &impl AttributeSource) -> Vec<u8> {
    let mut bytes = Vec::new();
    set.for_each(|attribute| {
        bytes.extend_from_slice(attribute.key.as_bytes());
        match attribute.value {
            AttributeValue::Str(text) => bytes.extend_from_slice(text.as_bytes()),
            AttributeValue::I64(value) => bytes.extend_from_slice(&value.to_le_bytes()),
            AttributeValue::F64(value) => bytes.extend_from_slice(&value.to_le_bytes()),
            AttributeValue::I64Array(values) => {
                bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
            }
            AttributeValue::F64Array(values) => {
                bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
            }
            AttributeValue::StrArray(strings) => {
                bytes.extend(strings.iter().flat_map(str::bytes));
            }
            _ => {}
        }
    });
    bytes
}

#[test]
fn reused_memory_reveals_nothing_of_an_earlier_request() {
    let mut arena = SpanAttributeArena::new();
    for round in 0..6_u16 {
        let (mut now, before) = (Canary::new(round + 1), Canary::new(round));
        let attributes = now.attributes(12);
        // Alternately shorter and longer, so that old and new bytes are adjacent.
        let count = if round % 2 == 0 { 12 } else { 7 };
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            let guard = arena.guard();
            let set = match guard.try_copy_attributes(&attributes[..count]) {
                Ok(set) => set,
                Err(error) => panic!("{error}"),
            };
            let mut built = guard.attributes(0);
            for attribute in &attributes[..count] {
                built.push(attribute.key.as_str(), &attribute.value);
            }
            let text = guard.format(format_args!("{:?}", now.text(20)));
            for bytes in [read(&set), read(&built), text.as_bytes().to_vec()] {
                assert!(now.is_in(&bytes));
                assert!(!before.is_in(&bytes));
            }
            if round == 3 {
                panic!("a request that fails");
            }
        }));
        assert_eq!(outcome.is_err(), round == 3);
        assert_eq!(arena.allocated_bytes(), 0);
    }
}

#[test]
fn arrays_are_copied_into_the_arena() {
    let arena = SpanAttributeArena::new();
    let mut set = arena.attributes(1);
    {
        let owned = vec![String::from("a"), String::from("ß")];
        set.push("strings", &owned);
    }
    let expected = ["a", "ß"];
    assert_eq!(
        set.finish()[0].value,
        AttributeValue::StrArray(StrArray::from(&expected[..]))
    );
}
