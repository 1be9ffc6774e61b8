use opentelemetry::{KeyValue, StringValue, Value};
use std::borrow::Cow;
use std::sync::Arc;

/// The key of the service's name, from the semantic conventions.
pub const SERVICE_NAME: &str = "service.name";
/// The key of the service's version, from the semantic conventions.
pub const SERVICE_VERSION: &str = "service.version";
/// The key of the id that [`build_mixed_attributes`](ZeroCopyAttributeBuilder::build_mixed_attributes) is given. The semantic
/// conventions have no word for it.
pub const REQUEST_ID: &str = "request.id";

/// Builds the API's own attributes without copying a text: a static one is pointed to, an owned one is moved.
///
/// The service's name and version are yours, and given once. If they are owned they are put behind an `Arc` then, so that
/// no attribute built later allocates for them.
///
/// # Examples
///
/// ```
/// use opentelemetry::KeyValue;
/// use zerospan_attributes::ZeroCopyAttributeBuilder;
///
/// let builder = ZeroCopyAttributeBuilder::new("checkout", env!("CARGO_PKG_VERSION"));
/// let request = String::from("7f3a");
/// let attributes = builder.build_mixed_attributes(request);
/// assert_eq!(attributes[0], KeyValue::new("service.name", "checkout"));
/// assert_eq!(attributes[2], KeyValue::new("request.id", "7f3a"));
/// ```
#[derive(Clone, Debug)]
pub struct ZeroCopyAttributeBuilder {
    name: StringValue,
    version: StringValue,
}

impl ZeroCopyAttributeBuilder {
    /// A builder for the service of that name and version. Allocates once for each of the two that is owned.
    pub fn new(
        service_name: impl Into<Cow<'static, str>>,
        service_version: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            name: shareable(service_name.into()),
            version: shareable(service_version.into()),
        }
    }

    /// An attribute with a static key. Does not allocate: a static value is pointed to, an owned one moves.
    #[inline]
    pub fn build_attribute(key: &'static str, value: impl Into<Cow<'static, str>>) -> KeyValue {
        KeyValue::new(key, Value::String(StringValue::from(value.into())))
    }

    /// The attributes that are the same for every span of the service: its name and version. Does not allocate.
    #[inline]
    pub fn build_static_attributes(&self) -> [KeyValue; 2] {
        [
            KeyValue::new(SERVICE_NAME, self.name.clone()),
            KeyValue::new(SERVICE_VERSION, self.version.clone()),
        ]
    }

    /// The static attributes and the id of one request, which moves. Does not allocate.
    #[inline]
    pub fn build_mixed_attributes(
        &self,
        request_id: impl Into<Cow<'static, str>>,
    ) -> [KeyValue; 3] {
        let [name, version] = self.build_static_attributes();
        [name, version, Self::build_attribute(REQUEST_ID, request_id)]
    }
}

/// A text whose clones do not allocate.
fn shareable(text: Cow<'static, str>) -> StringValue {
    match text {
        Cow::Borrowed(text) => text.into(),
        Cow::Owned(text) => Arc::<str>::from(text).into(),
    }
}
