use crate::wire;
use std::sync::Arc;

/// A resource, encoded once: what every request begins with. Cloning it copies a pointer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EncodedResource(Arc<Encoded>);

#[derive(Debug, Default, PartialEq, Eq)]
struct Encoded {
    /// `ResourceSpans.resource`, field 1 with its tag.
    resource: Vec<u8>,
    /// `ResourceSpans.schema_url`, field 3 with its tag; empty if there is none.
    schema_url: Vec<u8>,
}

impl EncodedResource {
    /// From an encoded message `opentelemetry.proto.resource.v1.Resource`, and the URL of its schema or nothing.
    pub fn from_message(message: &[u8], schema_url: &str) -> Self {
        let mut encoded = Encoded::default();
        wire::put_bytes(&mut encoded.resource, 1, message);
        if !schema_url.is_empty() {
            wire::put_bytes(&mut encoded.schema_url, 3, schema_url.as_bytes());
        }
        Self(Arc::new(encoded))
    }

    pub(crate) fn resource_field(&self) -> &[u8] {
        &self.0.resource
    }

    pub(crate) fn schema_url_field(&self) -> &[u8] {
        &self.0.schema_url
    }

    pub(crate) fn encoded_len(&self) -> usize {
        self.0.resource.len() + self.0.schema_url.len()
    }
}
