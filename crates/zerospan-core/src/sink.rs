use crate::{Attribute, AttributeSource, ExtendError, SinkError};
use opentelemetry::KeyValue;
use opentelemetry::trace::SpanBuilder;

/// As much of a source's count as room is made for ahead: one that miscounts must not cost the memory it claims.
const BELIEVED: usize = 1024;

/// Something that takes attributes: a vector, a span builder, an encoder, a span.
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
    /// Takes one attribute, after all that it took before.
    ///
    /// What it allocates is the implementation's to state.
    ///
    /// # Errors
    ///
    /// [`SinkError`] says why the attribute was not taken; the sink is as it was before the call.
    fn push_attribute(&mut self, attribute: Attribute<'_>) -> Result<(), SinkError>;

    /// Makes room for at least `additional` more attributes, where the sink can. Does nothing by default.
    #[inline]
    fn reserve_attributes(&mut self, additional: usize) {
        let _ = additional;
    }

    /// Takes every attribute that `source` lists, in its order. An attribute that is rejected does not stop the rest.
    ///
    /// # Errors
    ///
    /// [`ExtendError`] counts the attributes that were not taken and keeps the first cause.
    #[inline]
    fn push_all<S: AttributeSource + ?Sized>(&mut self, source: &S) -> Result<(), ExtendError> {
        self.reserve_attributes(source.len().min(BELIEVED));
        let mut outcome = Ok(());
        source.for_each(|attribute| {
            if let Err(cause) = self.push_attribute(attribute) {
                match &mut outcome {
                    Ok(()) => outcome = Err(ExtendError { rejected: 1, cause }),
                    Err(error) => error.rejected += 1,
                }
            }
        });
        outcome
    }
}

/// Copies each attribute: allocates as [`Attribute::to_key_value`] says, and for the vector's growth.
impl AttributeSink for Vec<KeyValue> {
    fn push_attribute(&mut self, attribute: Attribute<'_>) -> Result<(), SinkError> {
        self.push(attribute.to_key_value()?);
        Ok(())
    }

    fn reserve_attributes(&mut self, additional: usize) {
        self.reserve(additional);
    }
}

/// Copies each attribute behind those the builder holds: allocates as a `Vec<KeyValue>` does.
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
