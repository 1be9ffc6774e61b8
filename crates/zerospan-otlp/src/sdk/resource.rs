use crate::attribute::encode_value;
use crate::envelope::EncodedResource;
use crate::protobuf::schema::resource;
use opentelemetry_sdk::Resource;

impl EncodedResource {
    /// Encodes a resource of the official SDK, its attributes in the order in which it iterates. Allocates at least twice.
    pub fn from_sdk(given: &Resource) -> Self {
        let mut content = Vec::new();
        let mut dropped = 0;
        for (key, value) in given {
            let (tag, key) = (resource::tag::ATTRIBUTES, key.as_str());
            if encode_value(&mut content, tag, key, value).is_err() {
                dropped += 1;
            }
        }
        Self::from_content(content, dropped, given.schema_url())
    }
}
