use super::scope::encode_schema_url;
use crate::attribute::{UNLIMITED, encode};
use crate::protobuf::field_len;
use crate::protobuf::schema::{export_request, resource, resource_items};
use crate::wire::{Varint, append, count};
use zerospan_core::AttributeSource;

/// A resource in encoded form: encoded once, copied into each request.
///
/// The same for spans and log records.
///
/// # Examples
///
/// ```
/// use opentelemetry::InstrumentationScope;
/// use zerospan_otlp::{EncodedResource, EncodedScope, encode_request};
///
/// let resource = EncodedResource::new(&[("service.name", "shop")], None);
/// let scope = EncodedScope::new(&InstrumentationScope::builder("checkout").build());
/// let spans: [&[u8]; 0] = [];
///
/// let mut request = Vec::new();
/// encode_request(&resource, [(&scope, spans)], &mut request);
/// assert_eq!(request[0], 0x0a, "the field `ExportTraceServiceRequest.resource_spans`");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncodedResource {
    /// The field with the resource, then the field with the schema URL.
    bytes: Box<[u8]>,
    /// The position of the schema URL.
    schema_url_at: usize,
}

impl EncodedResource {
    /// Encodes a resource with `attributes`. Allocates at least twice.
    ///
    /// An attribute with an unsupported value is left out and counted as dropped.
    pub fn new<S: AttributeSource + ?Sized>(attributes: &S, schema_url: Option<&str>) -> Self {
        let mut content = Vec::new();
        let mut dropped = 0;
        attributes.for_each(|attribute| {
            let (tag, key, value) = (resource::tag::ATTRIBUTES, attribute.key, attribute.value);
            if encode(&mut content, tag, key, value, UNLIMITED).is_err() {
                dropped += 1;
            }
        });
        Self::from_content(content, dropped, schema_url)
    }

    pub(crate) fn from_content(
        mut content: Vec<u8>,
        dropped: u32,
        schema_url: Option<&str>,
    ) -> Self {
        append(
            &mut content,
            count(resource::tag::DROPPED_ATTRIBUTES_COUNT, dropped),
        );
        let mut bytes = Vec::with_capacity(content.len() + 128);
        append(
            &mut bytes,
            (
                [resource_items::tag::RESOURCE],
                Varint(content.len() as u64),
                content.as_slice(),
            ),
        );
        let schema_url_at = bytes.len();
        encode_schema_url(schema_url, &mut bytes);
        Self {
            bytes: bytes.into_boxed_slice(),
            schema_url_at,
        }
    }

    /// Splits the bytes into those before the scopes and those after them.
    #[inline]
    pub(crate) fn prefix_and_suffix(&self) -> (&[u8], &[u8]) {
        self.bytes.split_at(self.schema_url_at)
    }

    /// Returns the length of a whole request in which the scopes take `scopes_len` bytes.
    ///
    /// Sum [`EncodedScope::framed_len`](crate::EncodedScope::framed_len) over the scopes to get `scopes_len`.
    pub fn request_len(&self, scopes_len: usize) -> usize {
        field_len(self.bytes.len() + scopes_len)
    }

    /// Appends the bytes before the first scope of a request in which the scopes take `scopes_len` bytes.
    ///
    /// Does not allocate if there is room.
    pub fn begin(&self, scopes_len: usize, out: &mut Vec<u8>) {
        let (prefix, _) = self.prefix_and_suffix();
        append(
            out,
            (
                [export_request::tag::RESOURCE_ITEMS],
                Varint((self.bytes.len() + scopes_len) as u64),
                prefix,
            ),
        );
    }

    /// Appends the bytes after the last scope of a request. Does not allocate if there is room.
    pub fn end(&self, out: &mut Vec<u8>) {
        let (_, suffix) = self.prefix_and_suffix();
        append(out, suffix);
    }
}
