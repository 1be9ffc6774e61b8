/// Where a shared, unchanging attribute set keeps the bytes that an encoder made of it.
///
/// This is how a set in one crate is encoded once by another that it does not depend on: the set owns the storage, the
/// encoder owns the format.
pub trait EncodingCache {
    /// The set's encoding in `format`.
    ///
    /// The first call runs `encode` on an empty buffer and keeps what it wrote: one allocation or more, once in the life
    /// of the set. Every later call with the same format returns the same bytes and allocates nothing.
    ///
    /// `None` means that the cache holds another format, and has no room for this one: encode the set attribute by
    /// attribute.
    fn encoding(
        &self,
        format: EncodingFormat,
        encode: &mut dyn FnMut(&mut Vec<u8>),
    ) -> Option<&[u8]>;
}

/// The name of a wire format, by which an encoder finds its own bytes again.
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
    /// Names a format. Two formats are the same if their names are.
    pub const fn new(name: &'static str) -> Self {
        Self(name)
    }

    /// The format's name.
    pub const fn name(self) -> &'static str {
        self.0
    }
}
