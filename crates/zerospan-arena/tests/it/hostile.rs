use std::cell::Cell;
use zerospan_arena::{FormatError, LimitError, PushError, SpanAttributeArena};
use zerospan_core::{AsAttribute, Attribute, AttributeSink, AttributeSource, Footprint, SinkError};

#[test]
fn a_capacity_of_0_is_an_arena_without_memory_yet() {
    let arena = SpanAttributeArena::with_capacity(0);
    assert_eq!((arena.heap_bytes(), arena.capacity()), (0, 0));
    assert_eq!(arena.alloc_str("text"), "text");
}

#[test]
fn a_capacity_beyond_memory_is_an_error() {
    for capacity in [usize::MAX, isize::MAX as usize, isize::MAX as usize - 5000] {
        let error = SpanAttributeArena::try_with_capacity(capacity).map(|_| ());
        assert_eq!(error.map_err(|error| error.requested), Err(capacity));
    }
    let arena = SpanAttributeArena::new();
    assert!(arena.try_reserve(usize::MAX).is_err());
    assert!(arena.try_reserve(isize::MAX as usize).is_err());
    assert_eq!(arena.alloc_str("usable"), "usable");
}

#[test]
#[should_panic(expected = "the arena cannot allocate 18446744073709551615 more bytes")]
#[cfg(target_pointer_width = "64")]
fn a_capacity_beyond_memory_panics_with_the_remedy() {
    SpanAttributeArena::with_capacity(usize::MAX);
}

#[test]
fn a_limit_of_0_takes_only_empty_text() {
    let arena = SpanAttributeArena::with_limit(0);
    assert_eq!(arena.alloc_str(""), "");
    assert_eq!(arena.concat(("", "")), "");
    assert_eq!(arena.create_attributes(&[]).len(), 0);
    let error = arena
        .try_alloc_str("x")
        .map_err(|error| (error.requested, error.held, error.limit));
    assert_eq!(error, Err((1, 0, Some(0))));
    assert!(matches!(
        arena.try_concat(("x", 1)),
        Err(LimitError { requested: 2, .. })
    ));
    assert!(arena.try_create_attributes(&[("", "")]).is_err());
    assert!(matches!(
        arena.try_format(format_args!("{}", 7)),
        Err(FormatError::Limit(_))
    ));
    assert_eq!(arena.heap_bytes(), 0);
}

#[test]
fn a_limit_is_never_exceeded_and_its_error_names_it() {
    for limit in [1, 100, 448, 449, 1000, 5000, 100_000] {
        let mut arena = SpanAttributeArena::with_limit(limit);
        assert_eq!(arena.limit(), Some(limit));
        for _ in 0..3 {
            let mut taken = 0;
            let error = loop {
                match arena.try_alloc_str("0123456789") {
                    Ok(text) => taken += text.len(),
                    Err(error) => break error,
                }
            };
            assert!(taken <= limit);
            assert!(limit < 1000 || taken >= limit / 3, "{taken} of {limit}");
            assert!(arena.capacity() <= limit);
            assert!(
                error
                    .to_string()
                    .contains(&format!("of at most {limit}; raise its limit"))
            );
            arena.reset();
            assert_eq!(arena.limit(), Some(limit), "a reset keeps the limit");
            assert!(arena.capacity() <= limit);
        }
    }
}

#[test]
#[should_panic(
    expected = "raise its limit, reset it more often, or store less, or call the `try_` method"
)]
fn alloc_str_beyond_the_limit_panics_with_the_remedy() {
    SpanAttributeArena::with_limit(10).alloc_str("eleven byte");
}

#[test]
fn a_rejected_attribute_leaves_the_set_unchanged() {
    let arena = SpanAttributeArena::with_limit(2000);
    let mut set = arena.attributes(0);
    let long = "x".repeat(3000);
    set.push("kept", 1);
    assert!(matches!(
        set.try_push("key", &long),
        Err(PushError::Limit(_))
    ));
    assert!(matches!(set.try_push(&long, 1), Err(PushError::Limit(_))));
    let strings = ["short", long.as_str()];
    assert!(set.try_push("strings", &strings).is_err());
    assert!(set.try_push("numbers", &vec![0_i64; 500]).is_err());
    assert_eq!(
        set.push_attribute(Attribute::new("key", &long)),
        Err(SinkError::OutOfSpace { capacity: 2000 })
    );
    assert_eq!(set.as_listed(), ["kept"]);

    let mut count = 1;
    while set.try_push_borrowed("borrowed", 1).is_ok() {
        count += 1;
    }
    assert_eq!(set.len(), count);
    assert!(arena.capacity() <= 2000);
}

trait Listed {
    fn as_listed(&self) -> Vec<&str>;
}

impl<S: AttributeSource> Listed for S {
    fn as_listed(&self) -> Vec<&str> {
        let mut keys = Vec::new();
        self.for_each(|attribute| keys.push(attribute.key));
        keys
    }
}

#[test]
fn formatting_beyond_the_limit_is_an_error_and_the_arena_stays_usable() {
    let arena = SpanAttributeArena::with_limit(1000);
    let outcome = arena.try_format(format_args!("{:5000}", 1));
    assert!(matches!(outcome, Err(FormatError::Limit(_))));
    assert!(arena.try_join(&["x"; 5000], ", ").is_err());
    assert_eq!(arena.format(format_args!("{}", 1)), "1");
}

#[test]
fn empty_long_and_multi_byte_texts_are_kept() {
    let long = "ß€😀".repeat((1 << 20) / 9);
    let mut arena = SpanAttributeArena::new();
    for _ in 0..2 {
        let set = arena.create_attributes(&[("", ""), (&long, &long), ("😀", "ü")]);
        assert_eq!(set[0], Attribute::new("", ""));
        assert_eq!(set[1], Attribute::new(&long, &long));
        assert_eq!(set[2], Attribute::new("😀", "ü"));
        assert_eq!(arena.concat((long.as_str(), 1)).len(), long.len() + 1);
        assert_eq!(
            arena.format(format_args!("{long}{long}")).len(),
            2 * long.len()
        );
        arena.reset();
    }
}

/// Reports another number of attributes than it lists.
struct Lying(usize);

impl AttributeSource for Lying {
    fn len(&self) -> usize {
        self.0
    }

    fn for_each<'a>(&'a self, mut visit: impl FnMut(Attribute<'a>)) {
        visit(Attribute::new("a", 1));
        visit(Attribute::new("b", 2));
    }
}

impl Iterator for Lying {
    type Item = Attribute<'static>;

    fn next(&mut self) -> Option<Attribute<'static>> {
        None
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.0, None)
    }
}

#[test]
fn a_wrong_length_allocates_no_memory_and_loses_no_attribute() {
    for length in [0, 1, usize::MAX, 1 << 40] {
        let arena = SpanAttributeArena::new();
        assert_eq!(
            arena
                .try_copy_attributes(&Lying(length))
                .map(|set| set.len()),
            Ok(2)
        );
        let mut set = arena.attributes(length);
        assert_eq!(set.push_all(&Lying(length)), Ok(()));
        assert_eq!(set.try_extend(Lying(length)), Ok(()));
        assert_eq!(set.as_listed(), ["a", "b"]);
        assert!(arena.capacity() < 100_000);
    }
}

#[test]
fn text_that_changes_between_two_reads_is_joined_as_last_read() {
    struct Growing(Cell<usize>, String);
    impl AsRef<str> for Growing {
        fn as_ref(&self) -> &str {
            self.0.set(self.0.get() + 1);
            &self.1[..(self.0.get() * 50).min(self.1.len())]
        }
    }
    let arena = SpanAttributeArena::new();
    let growing = [
        Growing(Cell::new(0), "x".repeat(100)),
        Growing(Cell::new(0), "y".repeat(100)),
    ];
    assert_eq!(arena.join(&growing, "-").len(), 201);
}

#[test]
fn an_attribute_view_that_panics_leaves_the_set_unchanged() {
    struct Panicking;
    impl AsAttribute for Panicking {
        fn as_attribute(&self) -> Attribute<'_> {
            panic!("a view that panics")
        }
    }
    let arena = SpanAttributeArena::new();
    let mut set = arena.attributes(1);
    set.push("kept", 1);
    let outcome =
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| set.try_extend([Panicking])));
    assert!(outcome.is_err());
    assert_eq!(set.as_listed(), ["kept"]);
}
