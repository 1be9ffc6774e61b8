use crate::attribute::encode_value;
use crate::protobuf::field_len;
use crate::protobuf::schema::{resource_items, scope, scope_items};
use crate::wire::{Varint, append, count, text};
use opentelemetry::InstrumentationScope;

/// An instrumentation scope in encoded form: encoded once, copied before its items in each request.
///
/// The same for spans and log records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncodedScope {
    /// The field with the scope, then the field with the schema URL.
    bytes: Box<[u8]>,
    /// The position of the schema URL.
    schema_url_at: usize,
}

impl EncodedScope {
    /// Encodes `scope`. Allocates at least twice.
    ///
    /// An attribute with an unsupported value is left out and counted as dropped.
    pub fn new(scope: &InstrumentationScope) -> Self {
        let mut content = Vec::new();
        encode_scope(scope, &mut content);
        let mut bytes = Vec::with_capacity(content.len() + 128);
        append(
            &mut bytes,
            (
                [scope_items::tag::SCOPE],
                Varint(content.len() as u64),
                content.as_slice(),
            ),
        );
        let schema_url_at = bytes.len();
        encode_schema_url(scope.schema_url(), &mut bytes);
        Self {
            bytes: bytes.into_boxed_slice(),
            schema_url_at,
        }
    }

    /// Returns the length of the scope with items that take `items_len` bytes: the whole field `ResourceSpans.scope_spans`, tag
    /// and length included.
    pub fn framed_len(&self, items_len: usize) -> usize {
        field_len(self.bytes.len() + items_len)
    }

    /// Appends the bytes before the first of items that take `items_len` bytes. Does not allocate if there is room.
    pub fn begin(&self, items_len: usize, out: &mut Vec<u8>) {
        let (prefix, _) = self.bytes.split_at(self.schema_url_at);
        append(
            out,
            (
                [resource_items::tag::SCOPE_ITEMS],
                Varint((self.bytes.len() + items_len) as u64),
                prefix,
            ),
        );
    }

    /// Appends the bytes after the last item. Does not allocate if there is room.
    pub fn end(&self, out: &mut Vec<u8>) {
        let (_, suffix) = self.bytes.split_at(self.schema_url_at);
        append(out, suffix);
    }
}

/// Appends the content of an `InstrumentationScope`.
pub(crate) fn encode_scope(scope: &InstrumentationScope, out: &mut Vec<u8>) {
    let version = scope.version().unwrap_or_default();
    append(
        out,
        (
            text(scope::tag::NAME, scope.name()),
            text(scope::tag::VERSION, version),
        ),
    );
    let mut dropped = 0;
    for attribute in scope.attributes() {
        let (tag, key) = (scope::tag::ATTRIBUTES, attribute.key.as_str());
        if encode_value(out, tag, key, &attribute.value).is_err() {
            dropped += 1;
        }
    }
    append(out, count(scope::tag::DROPPED_ATTRIBUTES_COUNT, dropped));
}

/// Appends the schema URL, which has the same tag in the items of a resource and in those of a scope.
pub(crate) fn encode_schema_url(schema_url: Option<&str>, out: &mut Vec<u8>) {
    const TAG: u8 = resource_items::tag::SCHEMA_URL;
    const { assert!(TAG == scope_items::tag::SCHEMA_URL) };
    append(out, text(TAG, schema_url.unwrap_or_default()));
}
