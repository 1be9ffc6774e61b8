//! The contracts of this crate as functions that panic, with the broken rule, where an implementation breaks one.

use super::Canary;
use crate::{Attribute, AttributeSink, AttributeSource, AttributeValue, Footprint, Recycle, Reset};
use std::fmt::Debug;

/// What the kit must know of a type to hold its [`Reset`] to the contract.
pub trait ResetSubject {
    /// The type under test.
    type Value;

    /// A value in its just-built state.
    fn build(&self) -> Self::Value;

    /// Puts marked content into every field that the type has.
    fn fill(&self, value: &mut Self::Value, canary: &mut Canary);

    /// Appends to `out` everything that safe code can read from the value.
    fn read(&self, value: &Self::Value, out: &mut Vec<u8>);

    /// The call under test.
    fn reset(&self, value: &mut Self::Value);

    /// The capacity that a reset must keep, in any unit; 0 where the type has none.
    fn capacity(&self, value: &Self::Value) -> usize;
}

/// Holds a reset to its contract: nothing of the last use is readable, capacity is kept, a second reset changes nothing,
/// and the value is usable again.
///
/// # Panics
///
/// With the rule that is broken.
pub fn check_reset<S: ResetSubject>(subject: &S) {
    let read = |value: &S::Value| {
        let mut bytes = Vec::new();
        subject.read(value, &mut bytes);
        bytes
    };
    let (mut first, mut second) = (Canary::new(0x0f1), Canary::new(0x0f2));

    let mut value = subject.build();
    let just_built = read(&value);
    subject.fill(&mut value, &mut first);
    assert!(
        first.is_in(&read(&value)),
        "the subject is blind: it does not read what it filled in"
    );

    let capacity = subject.capacity(&value);
    subject.reset(&mut value);
    let after = read(&value);
    assert!(
        !first.is_in(&after),
        "reset leaves content of the last use readable"
    );
    assert_eq!(
        after, just_built,
        "reset does not bring back the just-built state"
    );
    assert!(
        subject.capacity(&value) >= capacity,
        "reset gives up capacity: {capacity} before, {} after",
        subject.capacity(&value),
    );

    let kept = subject.capacity(&value);
    subject.reset(&mut value);
    assert_eq!(read(&value), just_built, "a second reset changes the value");
    assert_eq!(
        subject.capacity(&value),
        kept,
        "a second reset changes the capacity"
    );

    subject.fill(&mut value, &mut second);
    let refilled = read(&value);
    assert!(
        second.is_in(&refilled),
        "a reset value does not take content again"
    );
    assert!(
        !first.is_in(&refilled),
        "content of an earlier use shows up in the next one"
    );
}

/// A [`ResetSubject`] for a type that is [`Default`], [`Reset`] and [`Footprint`], from two closures.
#[derive(Clone, Debug)]
pub struct ResetCheck<F, R> {
    fill: F,
    read: R,
}

impl<F, R> ResetCheck<F, R> {
    /// Takes how to fill a value with marked content, and how to read all of it.
    pub fn new<T>(fill: F, read: R) -> Self
    where
        F: Fn(&mut T, &mut Canary),
        R: Fn(&T, &mut Vec<u8>),
    {
        Self { fill, read }
    }

    /// Holds the type to [`reset`]'s contract.
    ///
    /// # Panics
    ///
    /// With the rule that is broken.
    pub fn check<T>(&self)
    where
        T: Default + Reset + Footprint,
        F: Fn(&mut T, &mut Canary),
        R: Fn(&T, &mut Vec<u8>),
    {
        self.check_recycle(&crate::DefaultRecycle);
    }

    /// Holds a [`Recycle`] implementation to [`reset`]'s contract.
    ///
    /// # Panics
    ///
    /// With the rule that is broken.
    pub fn check_recycle<T>(&self, recycle: &impl Recycle<T>)
    where
        F: Fn(&mut T, &mut Canary),
        R: Fn(&T, &mut Vec<u8>),
    {
        check_reset(&Recycled {
            recycle,
            fill: &self.fill,
            read: &self.read,
            of: std::marker::PhantomData,
        });
    }
}

struct Recycled<'a, T, C, F, R> {
    recycle: &'a C,
    fill: &'a F,
    read: &'a R,
    of: std::marker::PhantomData<T>,
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

/// Holds a source to its contract: it counts what it lists, lists `expected` in order, and lists it again.
///
/// # Panics
///
/// With the rule that is broken.
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
            "the {listing} listing has not as many attributes as len says"
        );
        assert_eq!(
            listed.len(),
            expected.len(),
            "the {listing} listing has not as many attributes as expected"
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

/// Holds a sink to its contract: it takes one attribute of every kind, keeps their order behind what it already held,
/// and takes a whole source as it takes its attributes one by one.
///
/// `build` makes an empty sink with room for 16 attributes; `read` lists what a sink holds.
///
/// # Panics
///
/// With the rule that is broken.
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
                "the sink rejects `{}` while it has room: {error}",
                attribute.key
            );
        }
    }
    expect_order(&one_by_one, &mut read, &all);

    let mut at_once = build();
    let (head, tail) = all.split_at(4);
    for part in [head, tail] {
        if let Err(error) = at_once.push_all(part) {
            panic!("the sink rejects part of a source while it has room: {error}");
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
        "the sink takes a value of an unsupported kind without a word"
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
        "the sink does not hold what it took, in the order it took it"
    );
}

fn listed<S>(sink: &S, read: &mut impl FnMut(&S, &mut dyn FnMut(Attribute<'_>))) -> Vec<String> {
    let mut listed = Vec::new();
    read(sink, &mut |attribute| {
        // A string array reads the same whichever type holds it.
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
