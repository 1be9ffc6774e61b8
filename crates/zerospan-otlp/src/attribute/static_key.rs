use super::key::{HEAD_LEN, HashedKey, Key, MAX_SCALAR_LEN, SCALAR_OVERHEAD, TEXT_OVERHEAD};
use super::key_hash::hash;
use crate::protobuf::schema::key_value::tag::KEY;
use crate::wire::{MAX_SHORT_LEN, ShortBytes, TEMPLATE_LEN, Template};
use std::fmt;

/// An attribute key that holds its encoded form.
///
/// It is made at compile time, so that setting an attribute neither measures nor hashes nor encodes the key. A key may have any
/// length. The encoded form is kept for keys of up to 60 bytes; a longer one is written as a string is.
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
    /// The tag and length of an attribute, which are set with the value; then the key's tag, length and bytes.
    template: [u8; TEMPLATE_LEN],
    /// The length of the longest value with which every length takes one byte. -1 if the key is empty, and so left out, or too
    /// long for the template.
    max_value_len: i8,
    hash: u32,
    key: &'static str,
}

impl StaticKey {
    /// Encodes `key`. OpenTelemetry requires a non-empty key; this is not checked.
    pub const fn new(key: &'static str) -> Self {
        let bytes = key.as_bytes();
        let mut template = [0; TEMPLATE_LEN];
        let mut max_value_len = -1;
        if !bytes.is_empty() && bytes.len() <= TEMPLATE_LEN - HEAD_LEN {
            template[2] = KEY;
            template[3] = bytes.len() as u8;
            let mut at = 0;
            while at < bytes.len() {
                template[HEAD_LEN + at] = bytes[at];
                at += 1;
            }
            max_value_len = (MAX_SHORT_LEN - bytes.len()) as i8;
        }
        Self {
            template,
            max_value_len,
            hash: hash(bytes),
            key,
        }
    }

    /// Returns the key.
    #[inline]
    pub const fn as_str(&self) -> &'static str {
        self.key
    }

    #[inline(always)]
    pub(super) const fn hash_value(&self) -> u32 {
        self.hash
    }

    #[inline(always)]
    fn field(&self, tag: u8, length: u32) -> Template<'_> {
        let head = [tag, length as u8];
        Template::new(&self.template, HEAD_LEN + self.key.len(), head)
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
    fn with_text<'t>(self, tag: u8, text: &'t [u8]) -> Option<(Template<'a>, ShortBytes<'t>)> {
        let short = ShortBytes::new(text)?;
        if text.len() as isize > isize::from(self.max_value_len) {
            return None;
        }
        let length = self.key.len() as u32 + short.len() + TEXT_OVERHEAD;
        Some((self.field(tag, length), short))
    }

    #[inline(always)]
    fn with_scalar(self, tag: u8, length: usize) -> Option<Template<'a>> {
        let length = self.key.len() as u32 + length as u32 + SCALAR_OVERHEAD;
        (self.max_value_len >= MAX_SCALAR_LEN as i8).then(|| self.field(tag, length))
    }
}

impl<'a> From<&'a StaticKey> for HashedKey<'a> {
    #[inline(always)]
    fn from(key: &'a StaticKey) -> Self {
        Self::from_parts(key.hash, key.key)
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

/// Declares constants of type [`StaticKey`], encoded at compile time.
///
/// Each is made from a text or from any constant text, such as those of the crate `opentelemetry-semantic-conventions`.
///
/// # Examples
///
/// ```
/// use opentelemetry_semantic_conventions::attribute;
/// use zerospan_otlp::{SpanRecorder, static_keys};
///
/// static_keys! {
///     /// The method of the request.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_any_length_keeps_its_text() {
        const LONG: &str =
            "a.key.that.is.longer.than.what.the.ready.form.has.room.for.in.its.sixty.bytes";
        const EMPTY: StaticKey = StaticKey::new("");
        const KEY: StaticKey = StaticKey::new(LONG);
        assert_eq!(EMPTY.as_str(), "");
        assert_eq!(KEY.as_str(), LONG);
        assert_eq!(KEY.max_value_len, -1);
        assert_eq!(EMPTY.max_value_len, -1);
        assert_eq!(StaticKey::new("k").max_value_len, MAX_SHORT_LEN as i8 - 1);
        assert_eq!(format!("{EMPTY:?}"), "StaticKey(\"\")");
    }
}
