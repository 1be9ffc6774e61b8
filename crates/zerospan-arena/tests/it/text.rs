use proptest::prelude::{any, prop, prop_assert_eq, proptest};
use std::borrow::Cow;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use zerospan_arena::{FormatError, SpanAttributeArena};

#[test]
fn every_kind_of_piece_is_written() {
    let arena = SpanAttributeArena::new();
    let owned = String::from("é");
    assert_eq!(
        arena.concat((
            "a",
            'ß',
            true,
            -1_i8,
            u128::MAX,
            1.5_f32,
            &owned,
            usize::MAX
        )),
        format!("aßtrue-1{}1.5é{}", u128::MAX, usize::MAX)
    );
    let (rc, arc): (Rc<str>, Arc<str>) = ("rc".into(), "arc".into());
    assert_eq!(arena.concat((rc, arc, Cow::Borrowed("cow"))), "rcarccow");
    assert_eq!(arena.concat([""; 0]), "");
    assert_eq!(arena.concat(("",)), "");
}

#[test]
fn strings_are_joined() {
    let arena = SpanAttributeArena::new();
    let none: [&str; 0] = [];
    assert_eq!(arena.join(&none, ", "), "");
    assert_eq!(arena.join(&["one"], ", "), "one");
    assert_eq!(arena.join(&["", "ü", ""], "—"), "—ü—");
    assert_eq!(arena.join(&vec![String::from("a"); 3], ""), "aaa");
}

proptest! {
    #[test]
    fn integers_read_as_display_formats_them_and_floats_parse_back_exactly(int in any::<i64>(), wide in any::<i128>(), float in any::<f64>(), short in any::<f32>()) {
        let arena = SpanAttributeArena::new();
        prop_assert_eq!(arena.concat((int,)), int.to_string());
        prop_assert_eq!(arena.concat((wide,)), wide.to_string());
        prop_assert_eq!(arena.concat((float,)).parse(), Ok(float));
        prop_assert_eq!(arena.concat((short,)).parse(), Ok(short));
    }

    #[test]
    fn joined_and_formatted_text_is_that_of_the_standard_library(
        strings in prop::collection::vec(any::<String>(), 0..8),
        separator in any::<String>(),
        width in 0..100_usize,
    ) {
        let arena = SpanAttributeArena::new();
        prop_assert_eq!(arena.join(&strings, &separator), strings.join(&separator));
        let parts: Vec<&str> = strings.iter().map(String::as_str).collect();
        prop_assert_eq!(arena.concat(parts.as_slice()), strings.concat());
        prop_assert_eq!(
            arena.format(format_args!("{strings:?}{separator:>width$}")),
            format!("{strings:?}{separator:>width$}")
        );
    }
}

#[test]
fn floats_read_as_documented() {
    let arena = SpanAttributeArena::new();
    let texts = [
        (0.0, "0.0"),
        (-0.0, "-0.0"),
        (1.0, "1.0"),
        (0.1, "0.1"),
        (1e15, "1000000000000000.0"),
        (1e16, "1e+16"),
        (1e-4, "0.0001"),
        (1e-7, "1e-7"),
        (f64::INFINITY, "inf"),
        (f64::NAN, "NaN"),
    ];
    for (float, text) in texts {
        assert_eq!(arena.concat((float,)), text);
    }
}

/// Writes some text, uses the arena, then fails in the chosen way.
struct Failing<'a> {
    arena: &'a SpanAttributeArena,
    panics: bool,
}

impl fmt::Display for Failing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("begun ")?;
        self.arena.alloc_str("meanwhile");
        f.write_str(&"x".repeat(100))?;
        assert!(!self.panics, "a Display that panics");
        Err(fmt::Error)
    }
}

#[test]
fn a_display_that_panics_leaves_the_arena_usable() {
    let mut arena = SpanAttributeArena::new();
    let before = arena.alloc_str("before");
    let failing = Failing {
        arena: &arena,
        panics: true,
    };
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        arena.format(format_args!("{failing}"));
    }));
    assert!(outcome.is_err());
    assert_eq!(before, "before");
    assert_eq!(arena.format(format_args!("{}", 1)), "1");
    arena.reset();
    assert_eq!(arena.allocated_bytes(), 0);
}

#[test]
fn a_display_that_fails_is_an_error() {
    let arena = SpanAttributeArena::new();
    let failing = Failing {
        arena: &arena,
        panics: false,
    };
    let outcome = arena.try_format(format_args!("{failing}"));
    assert_eq!(outcome, Err(FormatError::Display));
    assert!(
        FormatError::Display
            .to_string()
            .contains("only errors of its formatter")
    );
}

#[test]
fn a_display_may_use_the_arena_that_it_is_formatted_into() {
    struct Nested<'a>(&'a SpanAttributeArena);
    impl fmt::Display for Nested<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            for index in 0..50 {
                f.write_str(self.0.concat(("<", index, ">")))?;
            }
            Ok(())
        }
    }
    let arena = SpanAttributeArena::new();
    let expected: String = (0..50).map(|index| format!("<{index}>")).collect();
    assert_eq!(arena.format(format_args!("{}", Nested(&arena))), expected);
}

#[test]
fn constant_text_allocates_exactly_its_length() {
    let arena = SpanAttributeArena::with_capacity(100);
    arena.format(format_args!("constant"));
    assert_eq!(arena.allocated_bytes(), 8);
    let short = 7;
    arena.format(format_args!("{short}"));
    assert!(arena.allocated_bytes() <= 8 + 32);
}
