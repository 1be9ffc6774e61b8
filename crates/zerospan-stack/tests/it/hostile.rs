//! Invalid and hostile input: the results that the README states.

use opentelemetry::KeyValue;
use std::fmt;
use std::iter;
use std::panic::{AssertUnwindSafe, catch_unwind};
use zerospan_core::{
    Attribute, AttributeSink, AttributeSource, AttributeValue, CapacityError, ExtendError,
    Footprint, SinkError,
};
use zerospan_stack::{
    FixedAttributes, InlineAttributes, InlineError, InlineStr, StackAttributes,
    create_fixed_attributes, fixed_attributes,
};

const MIB: usize = 1 << 20;

/// Yields `count` attributes and reports another number.
struct Lying {
    count: usize,
    claim: usize,
}

impl Iterator for Lying {
    type Item = KeyValue;

    fn next(&mut self) -> Option<KeyValue> {
        self.count = self.count.checked_sub(1)?;
        Some(KeyValue::new("key", self.count as i64))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.claim, Some(self.claim))
    }
}

impl AttributeSource for Lying {
    fn len(&self) -> usize {
        self.claim
    }

    fn for_each<'a>(&'a self, mut visit: impl FnMut(Attribute<'a>)) {
        for _ in 0..self.count {
            visit(Attribute::new("key", 1));
        }
    }
}

#[test]
fn a_wrong_size_hint_reserves_no_memory() {
    for claim in [0, usize::MAX] {
        let mut set: StackAttributes<2> = Lying { count: 5, claim }.collect();
        set.extend(Lying { count: 1, claim });
        assert_eq!(set.len(), 6);
        assert_eq!(set.push_all(&Lying { count: 2, claim }), Ok(()));
        assert_eq!(set.len(), 8);
        assert!(set.heap_bytes() <= 4096 * size_of::<KeyValue>());

        let mut fixed = FixedAttributes::<2>::new();
        let outcome = fixed.try_extend(Lying { count: 3, claim });
        assert_eq!(
            outcome,
            Err(CapacityError::new(KeyValue::new("key", 0), 2)),
            "the first attribute that does not fit is handed back"
        );
        let mut inline = InlineAttributes::<2, 64>::new();
        assert_eq!(
            inline.push_all(&Lying { count: 3, claim }),
            Err(ExtendError::new(1, SinkError::Full { capacity: 2 }))
        );
    }
}

#[test]
fn try_extend_leaves_the_rest_to_the_caller() {
    let mut attributes = (0..4).map(|index| KeyValue::new("key", index));
    let mut fixed = FixedAttributes::<2>::new();
    assert!(fixed.try_extend(&mut attributes).is_err());
    assert_eq!(attributes.next(), Some(KeyValue::new("key", 3)));
}

#[test]
fn a_capacity_of_zero_is_full() {
    let attribute = KeyValue::new("key", "value");
    let mut stack = StackAttributes::<0>::new();
    assert_eq!(stack.capacity(), 0);
    stack.push(attribute.clone());
    assert!(stack.spilled());
    assert_eq!(stack.as_slice(), std::slice::from_ref(&attribute));

    let mut fixed: FixedAttributes<0> = fixed_attributes![];
    assert!(fixed.is_full());
    let returned = fixed.try_push(attribute.clone());
    assert_eq!(returned, Err(CapacityError::new(attribute, 0)));
    assert_eq!(
        fixed.push_attribute(Attribute::new("key", 1)),
        Err(SinkError::Full { capacity: 0 })
    );

    let full = Err(InlineError::Full { capacity: 0 });
    assert_eq!(InlineAttributes::<0, 64>::new().try_push("", ""), full);
    let mut textless = InlineAttributes::<2, 0>::new();
    assert_eq!(
        textless.try_push("", ""),
        Ok(()),
        "empty text needs no room"
    );
    assert_eq!(
        textless.try_push_value("k", 1),
        Err(InlineError::TextFull {
            remaining: 0,
            capacity: 0
        })
    );

    let mut string = InlineStr::<0>::new();
    assert_eq!(string.try_push(""), Ok(()));
    assert!(string.try_push("a").is_err());
    assert_eq!(string.push_truncated("äb"), Ok(3));
    assert_eq!(string, *"");
}

#[test]
fn every_length_of_text_is_accepted_or_rejected_as_a_whole() {
    let large = "ü".repeat(MIB / 2);
    // A set of 3 MiB exceeds a test thread's stack.
    let on_a_large_stack = |work: fn(&str)| {
        let large = large.clone();
        let thread = std::thread::Builder::new().stack_size(64 * MIB);
        thread
            .spawn(move || work(&large))
            .map(|thread| thread.join().is_ok())
    };
    assert!(on_a_large_stack(large_texts_in_a_large_set).is_ok_and(|passed| passed));

    let mut small = InlineAttributes::<8, 64>::new();
    assert!(small.try_push("key", &large).is_err());
    assert!(small.try_push(&large, "value").is_err());
    assert!(small.push_attribute(Attribute::new(&large, 1)).is_err());
    assert_eq!((small.len(), small.text_len()), (0, 0));
    assert_eq!(small.try_push("key", "value"), Ok(()));

    let mut stack = StackAttributes::<1>::new();
    let mut fixed = FixedAttributes::<1>::new();
    let attribute = Attribute::new(&large, &large);
    assert_eq!(stack.push_attribute(attribute), Ok(()));
    assert_eq!(fixed.push_attribute(attribute), Ok(()));
    assert_eq!(stack.as_slice(), fixed.as_slice());
}

fn large_texts_in_a_large_set(large: &str) {
    let texts = ["", "ünïcödé 日本語 🦀", large];
    let mut inline = InlineAttributes::<8, { 3 * MIB }>::new();
    for key in texts {
        for value in ["", "🦀"] {
            assert_eq!(inline.try_push(key, value), Ok(()));
        }
    }
    assert_eq!(
        inline.try_push(large, large),
        Err(InlineError::TextFull {
            remaining: 3 * MIB - inline.text_len(),
            capacity: 3 * MIB
        }),
        "the key fits, the value does not"
    );
    assert_eq!(inline.len(), 6);
    assert_eq!(inline.get(large), Some("🦀".into()));
}

#[test]
fn truncation_ends_at_a_character_boundary_and_reports_the_rest() {
    for text in ["aüüü", "日本語", "🦀🦀", "e\u{301}e\u{301}e\u{301}"] {
        let mut string = InlineStr::<6>::new();
        let omitted = string.push_truncated(text);
        assert_eq!(omitted, Ok(text.len() - string.len()));
        assert!(text.starts_with(string.as_str()));
        assert!(string.len() > 2);
    }
    let mut string = InlineStr::<6>::new();
    assert_eq!(
        string.push_truncated(("12345", "🦀", "6")),
        Ok(5),
        "nothing is written after a gap"
    );
    assert_eq!(string, *"12345");
}

/// Fails, swallows a write error, or panics, after some text.
enum Broken {
    Fails,
    Swallows,
    Panics,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("some")?;
        match self {
            Self::Fails => Err(fmt::Error),
            Self::Swallows => {
                let _ = f.write_str("text that is too long");
                f.write_str("!")
            }
            Self::Panics => panic!("a Display that panics"),
        }
    }
}

#[test]
fn a_display_that_fails_is_an_error_and_its_text_is_removed() {
    let (fails, swallows) = (Broken::Fails, Broken::Swallows);
    let mut set = InlineAttributes::<2, 16>::new();
    assert_eq!(
        set.try_push("key", format_args!("{fails}")),
        Err(InlineError::Format)
    );
    assert_eq!(
        set.try_push_value(format_args!("{fails}"), 1),
        Err(InlineError::Format)
    );
    let full = InlineError::TextFull {
        remaining: 16,
        capacity: 16,
    };
    assert_eq!(
        set.try_push("key", format_args!("{swallows}")),
        Err(full),
        "an overflow that a Display swallows is an overflow"
    );
    assert_eq!((set.len(), set.text_len()), (0, 0));

    let mut string = InlineStr::<16>::new();
    assert_eq!(
        string.try_push(format_args!("{fails}")),
        Err(InlineError::Format)
    );
    assert_eq!(string.try_push(format_args!("{swallows}")), Err(full));
    assert_eq!(
        string.push_truncated(("before", format_args!("{fails}"))),
        Err(InlineError::Format),
        "a failure of a Display is reported"
    );
    assert!(string.is_empty());
}

#[test]
fn a_display_that_panics_leaves_the_set_unchanged() {
    let panics = Broken::Panics;
    let mut set = InlineAttributes::<4, 64>::new();
    assert_eq!(set.try_push("before", 1), Ok(()));
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        set.try_push("key", format_args!("{panics}"))
    }));
    assert!(outcome.is_err());
    assert_eq!(set.len(), 1);
    assert_eq!(set.try_push("after", 2), Ok(()));
    assert_eq!(set.at(0), Some(Attribute::new("before", "1")));
    assert_eq!(set.at(1), Some(Attribute::new("after", "2")));
}

#[test]
fn an_unknown_kind_is_rejected_before_anything_is_copied() {
    let mut set = InlineAttributes::<4, 64>::new();
    assert_eq!(
        set.try_push_value("key", AttributeValue::Unsupported),
        Err(InlineError::Unsupported)
    );
    assert_eq!(set.text_len(), 0);
    for error in [
        InlineError::Unsupported,
        InlineError::Format,
        InlineError::Full { capacity: 4 },
        InlineError::TextFull {
            remaining: 3,
            capacity: 64,
        },
    ] {
        assert!(error.to_string().len() > 40, "{error} names no remedy");
    }
}

#[test]
fn arrays_that_do_not_fit_are_not_kept() {
    let mut set = InlineAttributes::<1, 4>::new();
    assert!(set.try_push_value("too long", [1_i64, 2]).is_err());
    assert_eq!(set.heap_bytes(), 0);
    assert_eq!(set.try_push_value("fits", [1_i64, 2]), Ok(()));
    assert_eq!(set.get("fits"), Some((&[1_i64, 2]).into()));
    assert!(set.heap_bytes() > 0);
}

#[test]
fn the_compiler_accepts_as_many_attributes_as_fit() {
    let none: FixedAttributes<2> = create_fixed_attributes([]);
    assert!(none.is_empty());
    let all: FixedAttributes<2> = fixed_attributes!["a" => 1, String::from("b") => "two"];
    assert_eq!(
        all.as_slice(),
        [KeyValue::new("a", 1), KeyValue::new("b", "two")]
    );
}

#[test]
fn a_spilled_set_stays_usable_and_keeps_its_memory() {
    let mut set: StackAttributes<2> = iter::repeat_n(KeyValue::new("key", 1), 100).collect();
    let capacity = set.capacity();
    assert!(set.spilled());
    set.clear();
    assert!(set.is_empty());
    assert_eq!(set.capacity(), capacity);
    set.push(KeyValue::new("key", 2));
    assert_eq!(set.as_slice(), [KeyValue::new("key", 2)]);
}

#[test]
fn sizes_are_those_of_the_documentation() {
    assert_eq!(size_of::<KeyValue>(), 56);
    let entries = size_of::<InlineAttributes<8, 256>>() - size_of::<InlineAttributes<0, 256>>();
    assert_eq!(entries, 8 * 24);
    assert!(size_of::<InlineStr<60>>() <= 64);
}

#[test]
fn sets_are_send_and_sync() {
    fn crosses<T: Send + Sync>() {}
    crosses::<StackAttributes>();
    crosses::<FixedAttributes>();
    crosses::<InlineAttributes>();
    crosses::<InlineStr<8>>();
}
