use super::repeated::Repeated;
use super::resource::ResourceView;
use super::scope::ScopeView;
use super::span::SpanView;
use crate::protobuf::schema::{export_request, resource_items, scope_items};
use crate::protobuf::{DecodeError, Message};
use std::fmt;

/// A whole request, `ExportTraceServiceRequest`, read in place.
///
/// Skips unknown fields. Reads no byte before it is asked for. Does not allocate.
///
/// # Examples
///
/// ```
/// use zerospan_otlp::{RequestView, DecodeErrorKind};
///
/// // One `ResourceSpans` that claims more bytes than there are.
/// let request = RequestView::new(&[0x0a, 0x05, 0x12]);
/// let error = request.validate().unwrap_err();
/// assert_eq!((error.offset, error.kind), (1, DecodeErrorKind::Truncated));
/// ```
///
/// Views borrow the bytes, which cannot change meanwhile:
///
/// ```compile_fail,E0502
/// use zerospan_otlp::RequestView;
///
/// let mut bytes = vec![0x0a, 0x00];
/// let first = RequestView::new(&bytes).resource_spans().next();
/// bytes.clear();
/// drop(first);
/// ```
#[derive(Clone, Copy)]
pub struct RequestView<'a> {
    message: Message<'a>,
}

impl<'a> RequestView<'a> {
    /// Creates a view of `bytes`, without reading them.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self {
            message: Message::new(bytes),
        }
    }

    /// Returns the spans of each resource.
    pub fn resource_spans(&self) -> Repeated<'a, ResourceSpansView<'a>> {
        Repeated::new(
            self.message,
            export_request::RESOURCE_ITEMS,
            ResourceSpansView::parse,
        )
    }

    /// Reads everything, nested messages included.
    ///
    /// # Errors
    ///
    /// Returns the first fault, in the order of reading.
    pub fn validate(&self) -> Result<(), DecodeError> {
        for field in self.message.fields() {
            let field = field?;
            match field.number {
                export_request::RESOURCE_ITEMS => {
                    ResourceSpansView::parse(field.message()?)?.validate()?;
                }
                _ => field.skip(self.message)?,
            }
        }
        Ok(())
    }
}

impl fmt::Debug for RequestView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestView")
            .field("bytes", &self.message.bytes().len())
            .finish_non_exhaustive()
    }
}

/// The spans of one resource, in encoded bytes.
#[derive(Clone)]
pub struct ResourceSpansView<'a> {
    message: Message<'a>,
    resource: Option<ResourceView<'a>>,
    schema_url: &'a str,
}

impl<'a> ResourceSpansView<'a> {
    fn parse(message: Message<'a>) -> Result<Self, DecodeError> {
        let (mut resource, mut schema_url) = (None, "");
        for field in message.fields() {
            let field = field?;
            match field.number {
                resource_items::RESOURCE => field.store_message(&mut resource)?,
                resource_items::SCOPE_ITEMS => drop(field.message()?),
                resource_items::SCHEMA_URL => schema_url = field.text()?,
                _ => field.skip(message)?,
            }
        }
        Ok(Self {
            message,
            resource: resource.map(ResourceView::parse).transpose()?,
            schema_url,
        })
    }

    /// Returns the resource, if the message has one.
    pub fn resource(&self) -> Option<&ResourceView<'a>> {
        self.resource.as_ref()
    }

    /// Returns the schema URL of the resource, or an empty text if there is none.
    pub fn schema_url(&self) -> &'a str {
        self.schema_url
    }

    /// Returns the spans of each scope.
    pub fn scope_spans(&self) -> Repeated<'a, ScopeSpansView<'a>> {
        Repeated::new(
            self.message,
            resource_items::SCOPE_ITEMS,
            ScopeSpansView::parse,
        )
    }

    fn validate(&self) -> Result<(), DecodeError> {
        self.resource
            .as_ref()
            .map_or(Ok(()), ResourceView::validate)?;
        self.scope_spans().try_for_each(|scope| scope?.validate())
    }
}

impl fmt::Debug for ResourceSpansView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResourceSpansView")
            .field("resource", &self.resource)
            .field("schema_url", &self.schema_url)
            .finish_non_exhaustive()
    }
}

/// The spans of one scope, in encoded bytes.
#[derive(Clone)]
pub struct ScopeSpansView<'a> {
    message: Message<'a>,
    scope: Option<ScopeView<'a>>,
    schema_url: &'a str,
}

impl<'a> ScopeSpansView<'a> {
    /// Reads the content of a `ScopeSpans`.
    ///
    /// Reads a run of encoded spans as well, as [`SpanRecorder::finish`](crate::SpanRecorder::finish) appends them.
    ///
    /// # Errors
    ///
    /// Returns the first fault outside the spans, which are read later.
    pub fn new(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        Self::parse(Message::new(bytes))
    }

    fn parse(message: Message<'a>) -> Result<Self, DecodeError> {
        let (mut scope, mut schema_url) = (None, "");
        for field in message.fields() {
            let field = field?;
            match field.number {
                scope_items::SCOPE => field.store_message(&mut scope)?,
                scope_items::ITEMS => drop(field.message()?),
                scope_items::SCHEMA_URL => schema_url = field.text()?,
                _ => field.skip(message)?,
            }
        }
        Ok(Self {
            message,
            scope: scope.map(ScopeView::parse).transpose()?,
            schema_url,
        })
    }

    /// Returns the scope, if the message has one.
    pub fn scope(&self) -> Option<&ScopeView<'a>> {
        self.scope.as_ref()
    }

    /// Returns the schema URL of the scope, or an empty text if there is none.
    pub fn schema_url(&self) -> &'a str {
        self.schema_url
    }

    /// Returns the spans.
    pub fn spans(&self) -> Repeated<'a, SpanView<'a>> {
        Repeated::new(self.message, scope_items::ITEMS, SpanView::parse)
    }

    /// Reads everything, nested messages included.
    ///
    /// # Errors
    ///
    /// Returns the first fault, in the order of reading.
    pub fn validate(&self) -> Result<(), DecodeError> {
        self.scope.as_ref().map_or(Ok(()), ScopeView::validate)?;
        self.spans().try_for_each(|span| span?.validate())
    }
}

impl fmt::Debug for ScopeSpansView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScopeSpansView")
            .field("scope", &self.scope)
            .field("schema_url", &self.schema_url)
            .finish_non_exhaustive()
    }
}
