/// Storage, in an immutable attribute set, for the bytes that an encoder made of it.
///
/// Lets an encoder encode a shared set once, although neither crate depends on the other: the set owns the storage, and
/// the encoder owns the format.
pub trait EncodingCache {
    /// Returns the set's encoding in `format`.
    ///
    /// The first call runs `encode` on an empty buffer and stores the bytes, which allocates. Every later call with the
    /// same format returns the same bytes and does not allocate.
    ///
    /// Returns `None` if the cache holds another format and has no room for this one: encode the set attribute by
    /// attribute.
    fn encoding(
        &self,
        format: EncodingFormat,
        encode: &mut dyn FnMut(&mut Vec<u8>),
    ) -> Option<&[u8]>;
}

/// The name of a wire format: the key of an encoder's bytes in an [`EncodingCache`].
///
/// # Examples
///
/// ```
/// use zerospan_core::EncodingFormat;
///
/// const SPAN_ATTRIBUTES: EncodingFormat = EncodingFormat::new("opentelemetry.proto.trace.v1.Span.attributes");
/// assert_eq!(SPAN_ATTRIBUTES.name(), "opentelemetry.proto.trace.v1.Span.attributes");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EncodingFormat(&'static str);

impl EncodingFormat {
    /// Names a format. Two formats with the same name are equal.
    pub const fn new(name: &'static str) -> Self {
        Self(name)
    }

    /// Returns the format's name.
    pub const fn name(self) -> &'static str {
        self.0
    }
}
