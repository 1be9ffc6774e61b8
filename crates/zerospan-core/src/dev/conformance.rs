//! Checks of this crate's contracts: functions that panic with the broken rule.

use super::Canary;
use crate::{Attribute, AttributeSink, AttributeSource, AttributeValue, Footprint, Recycle, Reset};
use std::fmt::Debug;

/// The operations on a type that [`check_reset`] needs.
pub trait ResetSubject {
    /// The type under test.
    type Value;

    /// Builds a value in its initial state.
    fn build(&self) -> Self::Value;

    /// Writes marked content into every field.
    fn fill(&self, value: &mut Self::Value, canary: &mut Canary);

    /// Appends everything that safe code can read from the value to `out`.
    fn read(&self, value: &Self::Value, out: &mut Vec<u8>);

    /// Resets the value: the call under test.
    fn reset(&self, value: &mut Self::Value);

    /// Returns the capacity that a reset must keep, in any unit; 0 if the type has none.
    fn capacity(&self, value: &Self::Value) -> usize;
}

/// Checks a reset: nothing of the last use is readable, capacity is kept, a second reset changes nothing, and the value
/// is usable again.
///
/// # Panics
///
/// With the broken rule.
pub fn check_reset<S: ResetSubject>(subject: &S) {
    let read = |value: &S::Value| {
        let mut bytes = Vec::new();
        subject.read(value, &mut bytes);
        bytes
    };
    let (mut first, mut second) = (Canary::new(0x0f1), Canary::new(0x0f2));

    let mut value = subject.build();
    let initial = read(&value);
    subject.fill(&mut value, &mut first);
    assert!(
        first.is_in(&read(&value)),
        "the subject does not read what it filled in"
    );

    let capacity = subject.capacity(&value);
    subject.reset(&mut value);
    let after = read(&value);
    assert!(
        !first.is_in(&after),
        "reset leaves content of the last use readable"
    );
    assert_eq!(after, initial, "reset does not restore the initial state");
    assert!(
        subject.capacity(&value) >= capacity,
        "reset loses capacity: {capacity} before, {} after",
        subject.capacity(&value),
    );

    let kept = subject.capacity(&value);
    subject.reset(&mut value);
    assert_eq!(read(&value), initial, "a second reset changes the value");
    assert_eq!(
        subject.capacity(&value),
        kept,
        "a second reset changes the capacity"
    );

    subject.fill(&mut value, &mut second);
    let refilled = read(&value);
    assert!(
        second.is_in(&refilled),
        "a reset value does not accept content"
    );
    assert!(
        !first.is_in(&refilled),
        "content of an earlier use is readable in the next one"
    );
}

/// Checks the resets of a type with two closures in place of a [`ResetSubject`].
#[derive(Clone, Debug)]
pub struct ResetCheck<F, R> {
    fill: F,
    read: R,
}

impl<F, R> ResetCheck<F, R> {
    /// Builds a check. `fill` writes marked content into a value, and `read` appends everything readable to a vector.
    pub fn new<T>(fill: F, read: R) -> Self
    where
        F: Fn(&mut T, &mut Canary),
        R: Fn(&T, &mut Vec<u8>),
    {
        Self { fill, read }
    }

    /// Checks the type's own [`Reset`], as [`check_reset`] does.
    ///
    /// # Panics
    ///
    /// With the broken rule.
    pub fn check<T>(&self)
    where
        T: Default + Reset + Footprint,
        F: Fn(&mut T, &mut Canary),
        R: Fn(&T, &mut Vec<u8>),
    {
        self.check_recycle(&crate::DefaultRecycle);
    }

    /// Checks a [`Recycle`] implementation, as [`check_reset`] does.
    ///
    /// # Panics
    ///
    /// With the broken rule.
    pub fn check_recycle<T>(&self, recycle: &impl Recycle<T>)
    where
        F: Fn(&mut T, &mut Canary),
        R: Fn(&T, &mut Vec<u8>),
    {
        check_reset(&Recycled {
            recycle,
            fill: &self.fill,
            read: &self.read,
            value: std::marker::PhantomData,
        });
    }
}

struct Recycled<'a, T, C, F, R> {
    recycle: &'a C,
    fill: &'a F,
    read: &'a R,
    value: std::marker::PhantomData<T>,
}

impl<T, C, F, R> ResetSubject for Recycled<'_, T, C, F, R>
where
    C: Recycle<T>,
    F: Fn(&mut T, &mut Canary),
    R: Fn(&T, &mut Vec<u8>),
{
    type Value = T;

    fn build(&self) -> T {
        self.recycle.create()
    }

    fn fill(&self, value: &mut T, canary: &mut Canary) {
        (self.fill)(value, canary);
    }

    fn read(&self, value: &T, out: &mut Vec<u8>) {
        (self.read)(value, out);
    }

    fn reset(&self, value: &mut T) {
        self.recycle.reset(value);
    }

    fn capacity(&self, value: &T) -> usize {
        self.recycle.heap_bytes(value)
    }
}

/// Checks a source: its count is that of its listing, and it lists `expected` in order, twice.
///
/// # Panics
///
/// With the broken rule.
pub fn check_source<S, K>(source: &S, expected: &[(K, AttributeValue<'_>)])
where
    S: AttributeSource + ?Sized,
    K: AsRef<str> + Debug,
{
    assert_eq!(
        source.is_empty(),
        source.len() == 0,
        "is_empty contradicts len"
    );
    for listing in ["first", "second"] {
        let mut listed = Vec::new();
        source.for_each(|attribute| listed.push(attribute));
        assert_eq!(
            listed.len(),
            source.len(),
            "the number of attributes in the {listing} listing is not len"
        );
        assert_eq!(
            listed.len(),
            expected.len(),
            "the number of attributes in the {listing} listing is not the expected one"
        );
        for (index, (listed, (key, value))) in listed.iter().zip(expected).enumerate() {
            assert_eq!(
                *listed,
                Attribute::new(key.as_ref(), *value),
                "the {listing} listing differs at attribute {index}"
            );
        }
    }
}

/// Checks a sink: it accepts attributes of every kind, appends them in order, and accepts a whole source like its
/// attributes one by one.
///
/// `build` makes an empty sink with room for 16 attributes; `read` lists the attributes of a sink.
///
/// # Panics
///
/// With the broken rule.
pub fn check_sink<S: AttributeSink>(
    mut build: impl FnMut() -> S,
    mut read: impl FnMut(&S, &mut dyn FnMut(Attribute<'_>)),
) {
    let strings = ["", "ünïcödé", "plain"];
    let all = [
        Attribute::new("bool", true),
        Attribute::new("i64", i64::MIN),
        Attribute::new("f64", -0.5),
        Attribute::new("str", "välue"),
        Attribute::new("empty", ""),
        Attribute::new("bools", &[true, false]),
        Attribute::new("i64s", &[i64::MAX, 0, -1]),
        Attribute::new("f64s", &[0.25]),
        Attribute::new("strs", &strings),
    ];

    let mut one_by_one = build();
    for attribute in all {
        if let Err(error) = one_by_one.push_attribute(attribute) {
            panic!(
                "the sink rejects `{}` although it has room: {error}",
                attribute.key
            );
        }
    }
    expect_order(&one_by_one, &mut read, &all);

    let mut at_once = build();
    let (head, tail) = all.split_at(4);
    for part in [head, tail] {
        if let Err(error) = at_once.push_all(part) {
            panic!(
                "the sink rejects part of a source although it has room: {error}: {}",
                error.cause
            );
        }
    }
    expect_order(&at_once, &mut read, &all);

    let before = listed(&at_once, &mut read);
    let unsupported = Attribute {
        key: "unsupported",
        value: AttributeValue::Unsupported,
    };
    assert!(
        at_once.push_attribute(unsupported).is_err(),
        "the sink accepts a value of an unsupported kind"
    );
    assert_eq!(
        listed(&at_once, &mut read),
        before,
        "a rejected attribute changes the sink"
    );
}

fn expect_order<S>(
    sink: &S,
    read: &mut impl FnMut(&S, &mut dyn FnMut(Attribute<'_>)),
    expected: &[Attribute<'_>],
) {
    let expected: Vec<String> = expected.iter().map(|a| format!("{a:?}")).collect();
    assert_eq!(
        listed(sink, read),
        expected,
        "the sink does not hold what was pushed, in the order of the pushes"
    );
}

fn listed<S>(sink: &S, read: &mut impl FnMut(&S, &mut dyn FnMut(Attribute<'_>))) -> Vec<String> {
    let mut listed = Vec::new();
    read(sink, &mut |attribute| {
        // Equal string arrays of different types must compare equal.
        listed.push(match attribute.value {
            AttributeValue::StrArray(strings) => {
                let strings: Vec<&str> = strings.iter().collect();
                format!("{:?}", Attribute::new(attribute.key, strings.as_slice()))
            }
            _ => format!("{attribute:?}"),
        });
    });
    listed
}
