//! The values in a Zipkin file that want more than a type: ids, times, tags.

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Unexpected, Visitor};
use std::collections::HashSet;
use std::fmt;

/// A trace id of up to 32 hex digits, left-padded with zeros.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct TraceIdText(pub(crate) u128);

/// A span id of up to 16 hex digits, left-padded with zeros.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct SpanIdText(pub(crate) u64);

/// A whole number of microseconds that is 0 or more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Micros(pub(crate) u64);

/// Tags in the file's order, each key once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tags(pub(crate) Vec<(String, String)>);

/// The last microsecond whose nanoseconds fit 64 bits: in the year 2554.
const MOST_MICROS: u64 = u64::MAX / 1000;

impl<'de> Deserialize<'de> for TraceIdText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Hex { most: 32 }).map(Self)
    }
}

impl<'de> Deserialize<'de> for SpanIdText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // 16 digits fit 64 bits.
        deserializer
            .deserialize_str(Hex { most: 16 })
            .map(|id| Self(id as u64))
    }
}

struct Hex {
    most: usize,
}

impl Visitor<'_> for Hex {
    type Value = u128;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an id of 1 to {} hex digits", self.most)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<u128, E> {
        // `from_str_radix` would take a sign.
        let is_hex = text.bytes().all(|byte| byte.is_ascii_hexdigit());
        match u128::from_str_radix(text, 16) {
            Ok(id) if is_hex && text.len() <= self.most => Ok(id),
            _ => Err(E::invalid_value(Unexpected::Str(text), &self)),
        }
    }
}

impl<'de> Deserialize<'de> for Micros {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Whole;

        impl Visitor<'_> for Whole {
            type Value = Micros;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a whole number of microseconds from 0 to {MOST_MICROS}")
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Micros, E> {
                if number > MOST_MICROS {
                    return Err(E::invalid_value(Unexpected::Unsigned(number), &self));
                }
                Ok(Micros(number))
            }
        }

        deserializer.deserialize_u64(Whole)
    }
}

impl<'de> Deserialize<'de> for Tags {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;

        impl<'de> Visitor<'de> for Pairs {
            type Value = Tags;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of tags, whose values are strings")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tags, A::Error> {
                let (mut tags, mut keys) = (Vec::new(), HashSet::new());
                while let Some((key, value)) = map.next_entry::<String, String>()? {
                    if !keys.insert(key.clone()) {
                        return Err(A::Error::custom(format_args!(
                            "the tag `{key}` is there twice: an attribute has one value"
                        )));
                    }
                    tags.push((key, value));
                }
                Ok(Tags(tags))
            }
        }

        deserializer.deserialize_map(Pairs)
    }
}
