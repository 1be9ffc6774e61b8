use super::items::{RequestItems, ResourceItems, ScopeItems};
use super::repeated::Repeated;
use super::resource::ResourceView;
use super::scope::ScopeView;
use super::span::SpanView;
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
    items: RequestItems<'a>,
}

impl<'a> RequestView<'a> {
    /// Creates a view of `bytes`, without reading them.
    pub fn new(bytes: &'a [u8]) -> Self {
        let items = RequestItems::new(bytes);
        Self { items }
    }

    /// Returns the spans of each resource.
    pub fn resource_spans(&self) -> Repeated<'a, ResourceSpansView<'a>> {
        self.items.resources(ResourceSpansView::parse)
    }

    /// Reads everything, nested messages included.
    ///
    /// # Errors
    ///
    /// Returns the first fault, in the order of reading.
    pub fn validate(&self) -> Result<(), DecodeError> {
        self.items
            .validate(|resource| ResourceSpansView::parse(resource)?.validate())
    }
}

impl fmt::Debug for RequestView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.items.debug("RequestView", f)
    }
}

/// The spans of one resource, in encoded bytes.
#[derive(Clone)]
pub struct ResourceSpansView<'a> {
    items: ResourceItems<'a>,
}

impl<'a> ResourceSpansView<'a> {
    fn parse(message: Message<'a>) -> Result<Self, DecodeError> {
        let items = ResourceItems::parse(message)?;
        Ok(Self { items })
    }

    /// Returns the resource, if the message has one.
    pub fn resource(&self) -> Option<&ResourceView<'a>> {
        self.items.resource.as_ref()
    }

    /// Returns the schema URL of the resource, or an empty text if there is none.
    pub fn schema_url(&self) -> &'a str {
        self.items.schema_url
    }

    /// Returns the spans of each scope.
    pub fn scope_spans(&self) -> Repeated<'a, ScopeSpansView<'a>> {
        self.items.scopes(ScopeSpansView::parse)
    }

    fn validate(&self) -> Result<(), DecodeError> {
        self.items.validate_resource()?;
        self.scope_spans().try_for_each(|scope| scope?.validate())
    }
}

impl fmt::Debug for ResourceSpansView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.items.debug("ResourceSpansView", f)
    }
}

/// The spans of one scope, in encoded bytes.
#[derive(Clone)]
pub struct ScopeSpansView<'a> {
    items: ScopeItems<'a>,
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
        let items = ScopeItems::parse(message)?;
        Ok(Self { items })
    }

    /// Returns the scope, if the message has one.
    pub fn scope(&self) -> Option<&ScopeView<'a>> {
        self.items.scope.as_ref()
    }

    /// Returns the schema URL of the scope, or an empty text if there is none.
    pub fn schema_url(&self) -> &'a str {
        self.items.schema_url
    }

    /// Returns the spans.
    pub fn spans(&self) -> Repeated<'a, SpanView<'a>> {
        self.items.items(SpanView::parse)
    }

    /// Reads everything, nested messages included.
    ///
    /// # Errors
    ///
    /// Returns the first fault, in the order of reading.
    pub fn validate(&self) -> Result<(), DecodeError> {
        self.items.validate_scope()?;
        self.spans().try_for_each(|span| span?.validate())
    }
}

impl fmt::Debug for ScopeSpansView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.items.debug("ScopeSpansView", f)
    }
}
