use opentelemetry::KeyValue;
use proptest::prelude::{any, prop, prop_assert, prop_assert_eq, proptest};
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use zerospan_attributes::{Overlay, SharedAttributes};
use zerospan_core::dev::conformance;
use zerospan_core::{
    AsAttribute, Attribute, AttributeSink, AttributeSource, AttributeValue, CapacityError,
    ExtendError, SinkError,
};

fn shared() -> SharedAttributes {
    [("a", "1"), ("b", "2"), ("c", "3")]
        .map(|(key, value)| KeyValue::new(key, value))
        .into()
}

#[test]
fn an_overlay_is_a_source_with_an_exact_count() {
    let base = shared();
    let text = AttributeValue::Str;
    let mut overlay: Overlay<_, (&str, &str), 3> = Overlay::new(&base);
    conformance::check_source(
        &overlay,
        &[("a", text("1")), ("b", text("2")), ("c", text("3"))],
    );
    assert_eq!(overlay.try_set(("d", "4")), Ok(None));
    assert_eq!(overlay.try_set(("b", "x")), Ok(None));
    let expected = [
        ("a", text("1")),
        ("c", text("3")),
        ("d", text("4")),
        ("b", text("x")),
    ];
    conformance::check_source(&overlay, &expected);
    assert_eq!(overlay.try_set(("b", "y")), Ok(Some(("b", "x"))));
    assert_eq!((overlay.len(), overlay.shadowed()), (4, 1));
    overlay.clear();
    assert_eq!((overlay.len(), overlay.shadowed()), (3, 0));
    assert_eq!(base, shared(), "the base is unchanged");
    assert!(overlay.encoding_cache().is_none(), "an overlay is mutable");
}

#[test]
fn an_overlay_borrows_its_base_without_a_copy() {
    let base = shared();
    let overlay = base.overlay::<KeyValue, 3>();
    assert!(overlay.base().is_same(&base));
}

#[test]
fn a_full_overlay_hands_a_new_key_back_and_still_replaces_a_known_one() {
    let mut none: Overlay<_, (&str, i64), 0> = Overlay::new(shared());
    assert_eq!(none.try_set(("a", 1)), Err(CapacityError::new(("a", 1), 0)));
    assert_eq!(none.len(), 3);

    let mut one: Overlay<_, KeyValue, 1> = Overlay::new(shared());
    assert!(one.try_set(KeyValue::new("a", 1)).is_ok());
    let refused = one.try_set(KeyValue::new("b", 2));
    assert_eq!(refused, Err(CapacityError::new(KeyValue::new("b", 2), 1)));
    let replaced = one.try_set(KeyValue::new("a", 3));
    assert_eq!(replaced, Ok(Some(KeyValue::new("a", 1))));
    assert_eq!(one.len(), 3);
}

#[test]
fn a_key_that_the_base_lists_twice_is_shadowed_twice() {
    let mut overlay: Overlay<_, (&str, i64)> = Overlay::new([("a", 1_i64), ("a", 2), ("b", 3)]);
    assert_eq!(overlay.try_set(("a", 9)), Ok(None));
    let expected = [("b", AttributeValue::I64(3)), ("a", AttributeValue::I64(9))];
    conformance::check_source(&overlay, &expected);
}

/// Accepts up to `room` attributes, and records whether a source offered a cache.
#[derive(Default)]
struct Sink {
    room: usize,
    keys: Vec<String>,
    cached: usize,
}

impl AttributeSink for Sink {
    fn push_attribute(&mut self, attribute: Attribute<'_>) -> Result<(), SinkError> {
        if self.keys.len() == self.room {
            return Err(SinkError::Full {
                capacity: self.room,
            });
        }
        self.keys.push(attribute.key.to_owned());
        Ok(())
    }

    fn push_all<S: AttributeSource + ?Sized>(&mut self, source: &S) -> Result<(), ExtendError> {
        self.cached += usize::from(source.encoding_cache().is_some());
        let mut rejected = 0;
        source
            .for_each(|attribute| rejected += usize::from(self.push_attribute(attribute).is_err()));
        let full = SinkError::Full {
            capacity: self.room,
        };
        if rejected > 0 {
            return Err(ExtendError::new(rejected, full));
        }
        Ok(())
    }
}

#[test]
fn an_overlay_without_shadowed_attributes_uses_the_encoding_of_its_base() {
    let mut overlay: Overlay<_, (&str, &str)> = Overlay::new(shared());
    assert_eq!(overlay.try_set(("d", "4")), Ok(None));
    let mut sink = Sink {
        room: 9,
        ..Sink::default()
    };
    assert_eq!(overlay.push_into(&mut sink), Ok(()));
    assert_eq!((sink.cached, sink.keys.join("")), (1, "abcd".into()));

    assert_eq!(overlay.try_set(("a", "4")), Ok(None));
    let mut sink = Sink {
        room: 9,
        ..Sink::default()
    };
    assert_eq!(overlay.push_into(&mut sink), Ok(()));
    assert_eq!((sink.cached, sink.keys.join("")), (0, "bcda".into()));
}

#[test]
fn rejected_attributes_of_base_and_overrides_are_counted_together() {
    let mut overlay: Overlay<_, (&str, &str)> = Overlay::new(shared());
    assert_eq!(overlay.try_set(("d", "4")), Ok(None));
    let mut sink = Sink {
        room: 1,
        ..Sink::default()
    };
    let full = SinkError::Full { capacity: 1 };
    assert_eq!(overlay.push_into(&mut sink), Err(ExtendError::new(3, full)));
}

/// An attribute whose `Drop` panics while it is armed.
struct Bomb<'a>(&'static str, &'a Cell<bool>);

impl AsAttribute for Bomb<'_> {
    fn as_attribute(&self) -> Attribute<'_> {
        Attribute::new(self.0, 1)
    }
}

impl Drop for Bomb<'_> {
    fn drop(&mut self) {
        if self.1.replace(false) {
            panic!("a Drop that panics");
        }
    }
}

#[test]
fn a_panic_in_the_drop_of_an_override_leaves_the_base_intact() {
    let armed = Cell::new(false);
    let base = shared();
    let mut overlay: Overlay<_, Bomb<'_>, 4> = Overlay::new(&base);
    for key in ["a", "d"] {
        assert!(overlay.try_set(Bomb(key, &armed)).is_ok());
    }
    armed.set(true);
    let outcome = catch_unwind(AssertUnwindSafe(|| overlay.clear()));
    assert!(outcome.is_err());
    assert_eq!((overlay.len(), overlay.overrides().len()), (3, 0));
    assert!(overlay.try_set(Bomb("a", &armed)).is_ok());
    assert_eq!((overlay.len(), overlay.shadowed()), (3, 1));
}

proptest! {
    #[test]
    fn an_overlay_lists_the_last_value_of_each_key(
        base in prop::collection::vec(("[a-f]", any::<i64>()), 0..6),
        sets in prop::collection::vec(("[a-f]{0,1}", any::<i64>()), 0..12),
    ) {
        let mut overlay: Overlay<_, (&str, i64), 3> = Overlay::new(&base);
        let mut own: Vec<(&str, i64)> = Vec::new();
        for (key, value) in &sets {
            let before = own.iter().position(|(known, _)| known == key);
            match (overlay.try_set((key, *value)), before) {
                (Ok(Some(old)), Some(place)) => {
                    prop_assert_eq!(old, own[place]);
                    own[place].1 = *value;
                }
                (Ok(None), None) => {
                    prop_assert!(own.len() < 3);
                    own.push((key, *value));
                }
                (Err(_), None) => prop_assert!(own.len() == 3),
                (outcome, _) => prop_assert!(false, "{:?}", outcome),
            }
            let model: Vec<(&str, i64)> = base
                .iter()
                .map(|(key, value)| (key.as_str(), *value))
                .filter(|(key, _)| own.iter().all(|(other, _)| other != key))
                .chain(own.iter().copied())
                .collect();
            let mut listed = Vec::new();
            overlay.for_each(|attribute| listed.push((attribute.key, attribute.value)));
            prop_assert_eq!(listed.len(), overlay.len());
            let model: Vec<_> = model
                .into_iter()
                .map(|(key, value)| (key, AttributeValue::I64(value)))
                .collect();
            prop_assert_eq!(listed, model);
        }
    }
}
