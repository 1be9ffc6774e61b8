use opentelemetry::{KeyValue, StringValue, Value};
use std::borrow::Cow;
use std::sync::Arc;

/// The key of the service's name, from the semantic conventions.
pub const SERVICE_NAME: &str = "service.name";
/// The key of the service's version, from the semantic conventions.
pub const SERVICE_VERSION: &str = "service.version";
/// The key of the id in [`build_mixed_attributes`](ZeroCopyAttributeBuilder::build_mixed_attributes). The semantic
/// conventions define none.
pub const REQUEST_ID: &str = "request.id";

/// Builds the API crate's attributes without copying text: static text is borrowed, owned text is moved.
///
/// Set the service's name and version once. Owned ones are moved into an `Arc`, so that attributes built later do not
/// allocate for them.
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
    /// Builds a builder for a service. Allocates once for an owned name and once for an owned version.
    pub fn new(
        service_name: impl Into<Cow<'static, str>>,
        service_version: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            name: shareable(service_name.into()),
            version: shareable(service_version.into()),
        }
    }

    /// Builds an attribute with a static key. Does not allocate: a static value is borrowed, an owned one is moved.
    #[inline]
    pub fn build_attribute(key: &'static str, value: impl Into<Cow<'static, str>>) -> KeyValue {
        KeyValue::new(key, Value::String(StringValue::from(value.into())))
    }

    /// Builds the attributes that all spans of the service share: its name and version. Does not allocate.
    #[inline]
    pub fn build_static_attributes(&self) -> [KeyValue; 2] {
        [
            KeyValue::new(SERVICE_NAME, self.name.clone()),
            KeyValue::new(SERVICE_VERSION, self.version.clone()),
        ]
    }

    /// Builds the static attributes and the id of a request, which is moved. Does not allocate.
    #[inline]
    pub fn build_mixed_attributes(
        &self,
        request_id: impl Into<Cow<'static, str>>,
    ) -> [KeyValue; 3] {
        let [name, version] = self.build_static_attributes();
        [name, version, Self::build_attribute(REQUEST_ID, request_id)]
    }
}

/// Converts text into a form whose clones do not allocate.
fn shareable(text: Cow<'static, str>) -> StringValue {
    match text {
        Cow::Borrowed(text) => text.into(),
        Cow::Owned(text) => Arc::<str>::from(text).into(),
    }
}
