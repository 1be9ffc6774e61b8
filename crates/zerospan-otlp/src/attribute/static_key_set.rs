use super::encode::{encode, encode_short};
use super::key::HashedKey;
use super::key_index::{Filter, KeyIndex};
use super::static_key::StaticKey;
use super::writer::AttributeWriter;
use crate::wire::Cursor;
use std::fmt;
use zerospan_core::{AttributeValue, UnsupportedValue};

/// The keys of attributes that are always set together, proven distinct and encoded at compile time.
///
/// [`set_each`](crate::SpanRecorder::set_each) sets all of them in one call, with one look at the keys that are there and without a
/// check of the number of attributes for each.
///
/// # Examples
///
/// ```
/// use zerospan_otlp::{SpanRecorder, StaticKeySet};
///
/// const REQUEST: StaticKeySet<3> =
///     StaticKeySet::new(["http.request.method", "http.route", "http.response.status_code"]);
///
/// let mut span = SpanRecorder::new();
/// span.set_each(&REQUEST, ("GET", "/users/{id}", 200));
/// assert_eq!(span.attribute_count(), 3);
/// ```
///
/// A key that appears twice is an error of the compiler, where the set is a constant:
///
/// ```compile_fail,E0080
/// use zerospan_otlp::StaticKeySet;
///
/// const TWICE: StaticKeySet<2> = StaticKeySet::new(["http.route", "http.route"]);
/// ```
#[derive(Clone, Copy)]
pub struct StaticKeySet<const N: usize> {
    keys: [StaticKey; N],
    filter: Filter,
}

impl<const N: usize> StaticKeySet<N> {
    /// Encodes `keys`. OpenTelemetry requires non-empty keys; this is not checked.
    ///
    /// # Panics
    ///
    /// Panics if a key appears twice: at compile time, in a constant.
    pub const fn new(keys: [&'static str; N]) -> Self {
        let mut set = Self {
            keys: [StaticKey::new(""); N],
            filter: Filter::EMPTY,
        };
        let mut index = 0;
        while index < N {
            let mut earlier = 0;
            while earlier < index {
                assert!(
                    !is_same(keys[earlier], keys[index]),
                    "a key appears twice in a `StaticKeySet`: name each key once"
                );
                earlier += 1;
            }
            set.keys[index] = StaticKey::new(keys[index]);
            set.filter.insert(set.keys[index].hash_value());
            index += 1;
        }
        set
    }

    /// Returns the keys.
    pub const fn keys(&self) -> &[StaticKey; N] {
        &self.keys
    }
}

impl<const N: usize> fmt::Debug for StaticKeySet<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys = self.keys.iter().map(StaticKey::as_str);
        f.debug_set().entries(keys).finish()
    }
}

/// One value for each key of a [`StaticKeySet`]: a tuple of up to twelve values that convert into [`AttributeValue`], or an array.
/// Sealed.
pub trait AttributeValues<'v, const N: usize>: Sealed {
    /// Passes each key and its value to `sink`, in order. Every value is converted before the first is passed.
    #[doc(hidden)]
    fn write_to(self, keys: &[StaticKey; N], sink: &mut impl Sink);
}

mod sealed {
    use super::StaticKey;
    use zerospan_core::AttributeValue;

    pub trait Sealed {}

    /// Takes attributes. A trait and no closure, which the compiler would not inline for each of the values.
    pub trait Sink {
        fn set(&mut self, key: &StaticKey, value: AttributeValue<'_>);
    }
}
use sealed::{Sealed, Sink};

impl<T, const N: usize> Sealed for [T; N] {}

impl<'v, T: Into<AttributeValue<'v>>, const N: usize> AttributeValues<'v, N> for [T; N] {
    #[inline(always)]
    fn write_to(self, keys: &[StaticKey; N], sink: &mut impl Sink) {
        for (key, value) in keys.iter().zip(self.map(Into::into)) {
            sink.set(key, value);
        }
    }
}

macro_rules! tuples {
    ($($count:literal: $($value:ident $index:literal)+;)+) => {$(
        impl<$($value),+> Sealed for ($($value,)+) {}
        impl<'v, $($value: Into<AttributeValue<'v>>),+> AttributeValues<'v, $count> for ($($value,)+) {
            #[inline(always)]
            #[allow(non_snake_case, reason = "each value has the name of its type parameter")]
            fn write_to(self, keys: &[StaticKey; $count], sink: &mut impl Sink) {
                let ($($value,)+) = self;
                let ($($value,)+) = ($($value.into(),)+);
                $(sink.set(&keys[$index], $value);)+
            }
        }
    )+};
}

tuples! {
    1: A 0;
    2: A 0 B 1;
    3: A 0 B 1 C 2;
    4: A 0 B 1 C 2 D 3;
    5: A 0 B 1 C 2 D 3 E 4;
    6: A 0 B 1 C 2 D 3 E 4 F 5;
    7: A 0 B 1 C 2 D 3 E 4 F 5 G 6;
    8: A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7;
    9: A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8;
    10: A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9;
    11: A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10;
    12: A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10 L 11;
}

impl AttributeWriter<'_> {
    /// Sets each key of `keys` to its value. Drops and counts attributes that are beyond the limits.
    #[inline(always)]
    pub fn set_each<'v, const N: usize>(
        &mut self,
        keys: &StaticKeySet<N>,
        values: impl AttributeValues<'v, N>,
    ) {
        let is_within = self.keys.len() + N <= self.max_attributes as usize;
        if !is_within || !self.keys.takes_inline(&keys.filter, N) {
            return set_one_by_one(&mut self.reborrow(), keys, values);
        }
        let mut appender = Appender {
            cursor: Cursor::new(self.buffer),
            keys: self.keys,
            tag: self.tag,
            max_chars: self.max_chars,
            dropped: self.dropped,
        };
        values.write_to(&keys.keys, &mut appender);
        appender.cursor.finish();
        self.keys.extend_filter(&keys.filter);
    }
}

/// Appends attributes whose keys are not held, and for which the index has room.
struct Appender<'a> {
    cursor: Cursor<'a>,
    keys: &'a mut KeyIndex,
    tag: u8,
    max_chars: usize,
    dropped: &'a mut u32,
}

impl Sink for Appender<'_> {
    #[inline(always)]
    fn set(&mut self, key: &StaticKey, value: AttributeValue<'_>) {
        let (tag, max_chars) = (self.tag, self.max_chars);
        let start = self.cursor.len();
        if encode_short(&mut self.cursor, tag, key, value, max_chars)
            || self
                .cursor
                .with_buffer(|out| encode_any(out, tag, key, value, max_chars))
                .is_ok()
        {
            self.keys.push_inline(key.hash_value(), start);
        } else {
            *self.dropped = self.dropped.saturating_add(1);
        }
    }
}

#[cold]
#[inline(never)]
fn set_one_by_one<'v, const N: usize>(
    writer: &mut AttributeWriter<'_>,
    keys: &StaticKeySet<N>,
    values: impl AttributeValues<'v, N>,
) {
    values.write_to(&keys.keys, writer);
}

impl Sink for AttributeWriter<'_> {
    #[inline]
    fn set(&mut self, key: &StaticKey, value: AttributeValue<'_>) {
        self.set_hashed(HashedKey::from(key), value);
    }
}

/// Not inlined, so that the caller, which rarely needs it, stays short.
#[cold]
#[inline(never)]
fn encode_any(
    out: &mut Vec<u8>,
    tag: u8,
    key: &StaticKey,
    value: AttributeValue<'_>,
    max_chars: usize,
) -> Result<(), UnsupportedValue> {
    encode(out, tag, key.as_str(), value, max_chars)
}

const fn is_same(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    if one.len() != other.len() {
        return false;
    }
    let mut at = 0;
    while at < one.len() {
        if one[at] != other[at] {
            return false;
        }
        at += 1;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{SpanLimits, SpanRecorder};
    use opentelemetry::trace::Status;
    use proptest::prelude::*;
    use zerospan_core::Reset;

    const LONG: &str =
        "a.key.that.is.longer.than.what.the.ready.form.has.room.for.in.its.sixty.bytes";
    const FIVE: StaticKeySet<5> = StaticKeySet::new(["a", "http.route", LONG, "", "flag"]);
    const MORE: StaticKeySet<4> = StaticKeySet::new(["b", "http.route", "c", "d"]);

    fn encoded(span: &SpanRecorder) -> Vec<u8> {
        let mut out = Vec::new();
        span.finish(1, &Status::Unset, &mut out);
        out
    }

    type Use = (u8, String, i64, Vec<u8>, f64, bool, [i64; 4]);

    proptest! {
        #[test]
        fn a_set_is_written_as_if_set_one_by_one(
            uses in proptest::collection::vec(
                (0..4_u8, "[a-z€]{0,140}", any::<i64>(), any::<Vec<u8>>(), any::<f64>(), any::<bool>(), any::<[i64; 4]>()),
                0..10,
            ),
            max_attributes in prop_oneof![0_u32..12, Just(128)],
            max_chars in proptest::option::of(0_u32..150),
            keep_repeated_keys in any::<bool>(),
            capacity in 0_usize..2_000,
        ) {
            let limits = SpanLimits {
                max_attributes_per_span: max_attributes,
                max_attribute_value_length: max_chars,
                keep_repeated_keys,
                ..SpanLimits::default()
            };
            let mut whole = SpanRecorder::with_capacity(limits, capacity, 0);
            let mut single = SpanRecorder::with_limits(limits);
            for _ in 0..2 {
                for (kind, text, number, bytes, float, flag, numbers) in &uses as &[Use] {
                    match kind {
                        0 => {
                            whole.set_each(&FIVE, (&**text, *number, *flag, *float, AttributeValue::Unsupported));
                            let [a, route, long, empty, last] = FIVE.keys();
                            single.set(a, &**text);
                            single.set(route, *number);
                            single.set(long, *flag);
                            single.set(empty, *float);
                            single.set(last, AttributeValue::Unsupported);
                        }
                        1 => {
                            whole.set_each(&FIVE, (*flag, &**text, &**text, AttributeValue::Bytes(bytes), *flag));
                            let [a, route, long, empty, last] = FIVE.keys();
                            single.set(a, *flag);
                            single.set(route, &**text);
                            single.set(long, &**text);
                            single.set(empty, AttributeValue::Bytes(bytes));
                            single.set(last, *flag);
                        }
                        2 => {
                            whole.set_each(&MORE, *numbers);
                            for (key, number) in MORE.keys().iter().zip(numbers) {
                                single.set(key, *number);
                            }
                        }
                        _ => {
                            let key = format!("dynamic.{number}");
                            for span in [&mut whole, &mut single] {
                                span.set_hashed(HashedKey::new(&key), &**text);
                            }
                        }
                    }
                    prop_assert_eq!(encoded(&whole), encoded(&single));
                    prop_assert_eq!(whole.attribute_count(), single.attribute_count());
                }
                whole.reset();
                single.reset();
            }
        }
    }

    #[test]
    fn a_key_that_appears_twice_is_refused() {
        assert!(std::panic::catch_unwind(|| StaticKeySet::new(["a", "b", "a"])).is_err());
        assert_eq!(format!("{MORE:?}"), r#"{"b", "http.route", "c", "d"}"#);
    }
}
