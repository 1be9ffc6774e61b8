use crate::wire::{BOUND, Part, Short, TEMPLATE, Template};
use std::fmt;

/// An attribute key that holds its encoded form.
///
/// Made at compile time: setting an attribute with it measures, hashes and frames no key. A key may be of any length; the
/// ready form is kept for those of up to 60 bytes, and a longer one is written as a string is.
///
/// # Examples
///
/// ```
/// use zerospan_otlp::{SpanRecorder, StaticKey};
///
/// const METHOD: StaticKey = StaticKey::new("http.request.method");
/// static ROUTE: StaticKey = StaticKey::new("http.route");
///
/// let mut span = SpanRecorder::new();
/// span.set(&METHOD, "GET");
/// span.set(&ROUTE, "/users/{id}");
/// assert_eq!(span.attribute_count(), 2);
/// ```
#[derive(Clone, Copy)]
pub struct StaticKey {
    /// A field tag and a length, filled in when the value is known; then the key's tag, length and bytes.
    template: [u8; TEMPLATE],
    /// The longest value, in bytes, behind which every length still takes one byte; -1 where the key is empty, and so
    /// left out, or too long for that.
    room: i8,
    hash: u32,
    key: &'static str,
}

impl StaticKey {
    /// Encodes `key`. The specification asks for a non-empty one; this does not judge.
    pub const fn new(key: &'static str) -> Self {
        let bytes = key.as_bytes();
        let mut template = [0; TEMPLATE];
        let mut room = -1;
        if !bytes.is_empty() && bytes.len() <= TEMPLATE - HEAD {
            template[2] = 0x0a;
            template[3] = bytes.len() as u8;
            let mut at = 0;
            while at < bytes.len() {
                template[HEAD + at] = bytes[at];
                at += 1;
            }
            room = (BOUND - bytes.len()) as i8;
        }
        Self {
            template,
            room,
            hash: hash(bytes),
            key,
        }
    }

    /// The key.
    #[inline]
    pub const fn as_str(&self) -> &'static str {
        self.key
    }
}

impl fmt::Debug for StaticKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("StaticKey").field(&self.key).finish()
    }
}

impl PartialEq for StaticKey {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for StaticKey {}

impl std::hash::Hash for StaticKey {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.key.hash(state);
    }
}

impl From<StaticKey> for opentelemetry::Key {
    fn from(key: StaticKey) -> Self {
        Self::from_static_str(key.key)
    }
}

/// Declares constants of type [`StaticKey`], encoded when the program is compiled: from a text, or from any constant that
/// is one, such as those of the crate `opentelemetry-semantic-conventions`.
///
/// # Examples
///
/// ```
/// use opentelemetry_semantic_conventions::attribute;
/// use zerospan_otlp::{SpanRecorder, static_keys};
///
/// static_keys! {
///     /// What the request does.
///     pub METHOD = attribute::HTTP_REQUEST_METHOD;
///     STATUS = attribute::HTTP_RESPONSE_STATUS_CODE;
///     CART_SIZE = "shop.cart.size";
/// }
///
/// let mut span = SpanRecorder::new();
/// span.set(&METHOD, "GET");
/// span.set(&STATUS, 200);
/// span.set(&CART_SIZE, 3);
/// assert_eq!(METHOD.as_str(), "http.request.method");
/// ```
#[macro_export]
macro_rules! static_keys {
    ($($(#[$attribute:meta])* $visibility:vis $name:ident = $key:expr;)+) => {$(
        $(#[$attribute])*
        $visibility const $name: $crate::StaticKey = $crate::StaticKey::new($key);
    )+};
}

/// The attribute's tag and length, the key's tag and length.
const HEAD: usize = 4;
/// A key as the writer wants it: a string, or one with its encoded form at hand.
pub(crate) trait Key: Copy {
    /// The attribute's tag and length, and the key's whole field.
    type Field: Part;

    fn as_str(&self) -> &str;

    fn hash(&self) -> u32;

    /// The key's field and the value, if every length takes one byte with this value and `tag` and length before it: all of
    /// which are `overhead` bytes.
    fn with_text<'t>(self, tag: u8, text: &'t [u8]) -> Option<(Self::Field, Short<'t>)>;

    /// The key's field in an attribute with a value of `length` bytes, at most 10, its kind's tag not counted; if every
    /// length takes one byte.
    fn with_scalar(self, tag: u8, length: usize) -> Option<Self::Field>;
}

/// The attribute's length beside key and value, if the value is a text, or a number or boolean.
const BESIDE_TEXT: u32 = 6;
const BESIDE_SCALAR: u32 = 5;
/// The longest number.
const SCALAR: usize = 10;

/// The attribute's tag and length, the key's tag and length, of which each takes one byte.
#[inline(always)]
fn head(tag: u8, whole: u32, key: u32) -> [u8; HEAD] {
    // Sums, since no byte overflows into the next: a compiler makes two steps of what would be ten.
    (u32::from(tag) + (whole << 8) + 0x000a_0000 + (key << 24)).to_le_bytes()
}

/// A key that is known at run time, with its hash: made where the key is a constant, it costs nothing.
#[derive(Clone, Copy, Debug)]
pub struct HashedKey<'a> {
    hash: u32,
    key: &'a str,
}

impl<'a> HashedKey<'a> {
    /// Hashes `key`. Inlined, so that the compiler does it for a constant.
    #[inline(always)]
    pub const fn new(key: &'a str) -> Self {
        Self {
            hash: hash(key.as_bytes()),
            key,
        }
    }

    /// The key.
    #[inline]
    pub const fn as_str(&self) -> &'a str {
        self.key
    }
}

impl<'a> Key for HashedKey<'a> {
    type Field = <&'a str as Key>::Field;

    #[inline(always)]
    fn as_str(&self) -> &str {
        self.key
    }

    #[inline(always)]
    fn hash(&self) -> u32 {
        self.hash
    }

    #[inline(always)]
    fn with_text<'t>(self, tag: u8, text: &'t [u8]) -> Option<(Self::Field, Short<'t>)> {
        self.key.with_text(tag, text)
    }

    #[inline(always)]
    fn with_scalar(self, tag: u8, length: usize) -> Option<Self::Field> {
        self.key.with_scalar(tag, length)
    }
}

impl<'a> Key for &'a str {
    type Field = ([u8; HEAD], Short<'a>);

    #[inline(always)]
    fn as_str(&self) -> &str {
        self
    }

    #[inline(always)]
    fn hash(&self) -> u32 {
        hash(self.as_bytes())
    }

    #[inline(always)]
    fn with_text<'t>(self, tag: u8, text: &'t [u8]) -> Option<(Self::Field, Short<'t>)> {
        let (key, text) = Short::pair(self.as_bytes(), text)?;
        let whole = key.len() + text.len() + BESIDE_TEXT;
        Some(((head(tag, whole, key.len()), key), text))
    }

    #[inline(always)]
    fn with_scalar(self, tag: u8, length: usize) -> Option<Self::Field> {
        let key = Short::new(self.as_bytes())?;
        let whole = key.len() + length as u32 + BESIDE_SCALAR;
        let fits = !self.is_empty() && self.len() <= BOUND - SCALAR;
        fits.then_some((head(tag, whole, key.len()), key))
    }
}

impl<'a> Key for &'a StaticKey {
    type Field = Template<'a>;

    #[inline(always)]
    fn as_str(&self) -> &str {
        self.key
    }

    #[inline(always)]
    fn hash(&self) -> u32 {
        self.hash
    }

    #[inline(always)]
    fn with_text<'t>(self, tag: u8, text: &'t [u8]) -> Option<(Template<'a>, Short<'t>)> {
        let short = Short::new(text)?;
        if text.len() as isize > isize::from(self.room) {
            return None;
        }
        let whole = self.key.len() as u32 + short.len() + BESIDE_TEXT;
        Some((self.field(tag, whole), short))
    }

    #[inline(always)]
    fn with_scalar(self, tag: u8, length: usize) -> Option<Template<'a>> {
        let whole = self.key.len() as u32 + length as u32 + BESIDE_SCALAR;
        (self.room >= SCALAR as i8).then(|| self.field(tag, whole))
    }
}

impl StaticKey {
    #[inline(always)]
    fn field(&self, tag: u8, whole: u32) -> Template<'_> {
        Template::new(&self.template, HEAD + self.key.len(), [tag, whole as u8])
    }
}

/// A hash of all bytes of a key: to find a key again among those of a span, not to withstand an attacker, who gains no
/// more by collisions than a linear search costs.
#[inline(always)]
pub(crate) const fn hash(key: &[u8]) -> u32 {
    const SEED: u64 = 0x9e37_79b9_7f4a_7c15;
    const STEP: u64 = 0xd6e8_feb8_6659_fd93;

    let length = key.len() as u64;
    let (head, tail) = match (key.first_chunk::<8>(), key.last_chunk::<8>()) {
        (Some(head), Some(tail)) => (u64::from_le_bytes(*head), u64::from_le_bytes(*tail)),
        _ => match (key.first_chunk::<4>(), key.last_chunk::<4>()) {
            (Some(head), Some(tail)) => (
                u32::from_le_bytes(*head) as u64,
                u32::from_le_bytes(*tail) as u64,
            ),
            _ => match key {
                [] => (0, 0),
                [one] => (*one as u64, 1),
                [one, two] => (*one as u64, (*two as u64) << 8),
                [one, two, .., last] => (*one as u64, ((*two as u64) << 8) | *last as u64),
            },
        },
    };
    let mut state = mix(head ^ SEED ^ length, tail ^ STEP);
    if key.len() > 16 {
        let (_, rest) = key.split_at(8);
        if let (Some(second), Some(last_but_one), true) = (
            rest.first_chunk::<8>(),
            key.split_at(key.len() - 8).0.last_chunk::<8>(),
            key.len() <= 32,
        ) {
            state ^= mix(
                u64::from_le_bytes(*second) ^ STEP,
                u64::from_le_bytes(*last_but_one) ^ SEED,
            );
        } else {
            let mut rest = rest;
            while let Some((word, behind)) = rest.split_first_chunk::<8>() {
                state = mix(state ^ u64::from_le_bytes(*word), STEP ^ length);
                rest = behind;
            }
        }
    }
    (state ^ (state >> 32)) as u32
}

#[inline(always)]
const fn mix(one: u64, other: u64) -> u64 {
    let product = one as u128 * other as u128;
    product as u64 ^ (product >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn keys_that_differ_anywhere_hash_differently() {
        let mut seen = HashSet::new();
        let mut keys = 0;
        for length in 0..100_usize {
            for changed in 0..length.max(1) {
                for with in [b'b', b'z'] {
                    let mut key = vec![b'a'; length];
                    if let Some(byte) = key.get_mut(changed) {
                        *byte = with;
                    }
                    seen.insert((length, hash(&key)));
                    keys += 1;
                    if length == 0 {
                        break;
                    }
                }
                if length == 0 {
                    break;
                }
            }
        }
        // 32 bits: a collision among ten thousand keys is possible, two would be a fault.
        assert!(seen.len() + 2 > keys, "{} of {keys}", seen.len());
    }

    #[test]
    fn a_key_knows_its_text_whatever_its_length() {
        const LONG: &str =
            "a.key.that.is.longer.than.what.the.ready.form.has.room.for.in.its.sixty.bytes";
        const EMPTY: StaticKey = StaticKey::new("");
        const KEY: StaticKey = StaticKey::new(LONG);
        assert_eq!(EMPTY.as_str(), "");
        assert_eq!(KEY.as_str(), LONG);
        assert_eq!(KEY.room, -1);
        assert_eq!(EMPTY.room, -1);
        assert_eq!(StaticKey::new("k").room, BOUND as i8 - 1);
        assert_eq!(format!("{EMPTY:?}"), "StaticKey(\"\")");
    }
}
