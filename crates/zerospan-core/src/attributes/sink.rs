use crate::{Attribute, AttributeSource, ExtendError, SinkError};
use opentelemetry::KeyValue;
use opentelemetry::trace::SpanBuilder;

/// Limits the room reserved for a source: its count may be wrong.
const MAX_RESERVED: usize = 1024;

/// A consumer of attributes: a vector, a span builder, an encoder, a span.
///
/// # Examples
///
/// ```
/// use opentelemetry::KeyValue;
/// use zerospan_core::{AttributeSink, ExtendError};
///
/// # fn main() -> Result<(), ExtendError> {
/// let mut attributes: Vec<KeyValue> = Vec::new();
/// attributes.push_all(&[("http.request.method", "GET"), ("url.scheme", "https")])?;
/// assert_eq!(attributes[1], KeyValue::new("url.scheme", "https"));
/// # Ok(())
/// # }
/// ```
pub trait AttributeSink {
    /// Appends one attribute. Each implementation documents what it allocates.
    ///
    /// # Errors
    ///
    /// [`SinkError`] if the sink rejects the attribute; the sink is unchanged.
    fn push_attribute(&mut self, attribute: Attribute<'_>) -> Result<(), SinkError>;

    /// Reserves room for at least `additional` more attributes if the sink supports it. Does nothing by default.
    #[inline]
    fn reserve_attributes(&mut self, additional: usize) {
        let _ = additional;
    }

    /// Appends every attribute of `source`, in its order. Continues after a rejected attribute.
    ///
    /// # Errors
    ///
    /// [`ExtendError`] with the number of rejected attributes and the reason for the first.
    #[inline]
    fn push_all<S: AttributeSource + ?Sized>(&mut self, source: &S) -> Result<(), ExtendError> {
        self.reserve_attributes(source.len().min(MAX_RESERVED));
        let mut result = Ok(());
        source.for_each(|attribute| {
            if let Err(cause) = self.push_attribute(attribute) {
                match &mut result {
                    Ok(()) => result = Err(ExtendError { rejected: 1, cause }),
                    Err(error) => error.rejected += 1,
                }
            }
        });
        result
    }
}

/// Copies each attribute: allocates as [`Attribute::to_key_value`] does, and for the vector's growth.
impl AttributeSink for Vec<KeyValue> {
    fn push_attribute(&mut self, attribute: Attribute<'_>) -> Result<(), SinkError> {
        self.push(attribute.to_key_value()?);
        Ok(())
    }

    fn reserve_attributes(&mut self, additional: usize) {
        self.reserve(additional);
    }
}

/// Appends copies to the builder's attributes: allocates as a `Vec<KeyValue>` does.
impl AttributeSink for SpanBuilder {
    fn push_attribute(&mut self, attribute: Attribute<'_>) -> Result<(), SinkError> {
        let attribute = attribute.to_key_value()?;
        self.attributes.get_or_insert_default().push(attribute);
        Ok(())
    }

    fn reserve_attributes(&mut self, additional: usize) {
        if additional > 0 {
            self.attributes.get_or_insert_default().reserve(additional);
        }
    }
}

impl<S: AttributeSink + ?Sized> AttributeSink for &mut S {
    #[inline]
    fn push_attribute(&mut self, attribute: Attribute<'_>) -> Result<(), SinkError> {
        (**self).push_attribute(attribute)
    }

    #[inline]
    fn reserve_attributes(&mut self, additional: usize) {
        (**self).reserve_attributes(additional);
    }

    #[inline]
    fn push_all<T: AttributeSource + ?Sized>(&mut self, source: &T) -> Result<(), ExtendError> {
        (**self).push_all(source)
    }
}
