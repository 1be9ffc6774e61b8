use super::message::{Message, Repeated, once};
use super::{ResourceView, ScopeView, SpanView, ViewError};
use std::fmt;

/// A whole request, `ExportTraceServiceRequest`, read where it stands.
///
/// Fields that are not known are skipped. Nothing is allocated, and no byte is read before it is asked for.
///
/// # Examples
///
/// ```
/// use zerospan_otlp::{RequestView, ViewErrorKind};
///
/// // One `ResourceSpans` that claims more bytes than there are.
/// let request = RequestView::new(&[0x0a, 0x05, 0x12]);
/// let error = request.validate().unwrap_err();
/// assert_eq!((error.offset, error.kind), (1, ViewErrorKind::Truncated));
/// ```
///
/// What is read borrows from the bytes, which stay as they are meanwhile:
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
    /// Looks at `bytes`, without reading them yet.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self {
            message: Message::whole(bytes),
        }
    }

    /// What the request says of each resource.
    pub fn resource_spans(&self) -> Repeated<'a, ResourceSpansView<'a>> {
        self.message.repeated(1, ResourceSpansView::parse)
    }

    /// Reads everything, however deep.
    ///
    /// # Errors
    ///
    /// The first fault, in the order of reading.
    pub fn validate(&self) -> Result<(), ViewError> {
        for field in self.message.fields() {
            let field = field?;
            match field.number {
                1 => ResourceSpansView::parse(field.message()?)?.validate()?,
                _ => field.unknown(self.message)?,
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

/// The spans of one resource.
#[derive(Clone)]
pub struct ResourceSpansView<'a> {
    message: Message<'a>,
    resource: Option<ResourceView<'a>>,
    schema_url: &'a str,
}

impl<'a> ResourceSpansView<'a> {
    fn parse(message: Message<'a>) -> Result<Self, ViewError> {
        let (mut resource, mut schema_url) = (None, "");
        for field in message.fields() {
            let field = field?;
            match field.number {
                1 => once(&mut resource, field)?,
                2 => drop(field.message()?),
                3 => schema_url = field.text()?,
                _ => field.unknown(message)?,
            }
        }
        Ok(Self {
            message,
            resource: resource.map(ResourceView::parse).transpose()?,
            schema_url,
        })
    }

    /// The resource; `None` where the message has none.
    pub fn resource(&self) -> Option<&ResourceView<'a>> {
        self.resource.as_ref()
    }

    /// The resource's schema URL; empty where there is none.
    pub fn schema_url(&self) -> &'a str {
        self.schema_url
    }

    /// The spans, by scope.
    pub fn scope_spans(&self) -> Repeated<'a, ScopeSpansView<'a>> {
        self.message.repeated(2, ScopeSpansView::parse)
    }

    fn validate(&self) -> Result<(), ViewError> {
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

/// The spans of one scope.
#[derive(Clone)]
pub struct ScopeSpansView<'a> {
    message: Message<'a>,
    scope: Option<ScopeView<'a>>,
    schema_url: &'a str,
}

impl<'a> ScopeSpansView<'a> {
    /// Reads the content of a `ScopeSpans`: as such, whole spans one behind the other count too, as
    /// [`SpanRecorder::finish`](crate::SpanRecorder::finish) appends them.
    ///
    /// # Errors
    ///
    /// The first fault outside the spans, which are read later.
    pub fn new(bytes: &'a [u8]) -> Result<Self, ViewError> {
        Self::parse(Message::whole(bytes))
    }

    fn parse(message: Message<'a>) -> Result<Self, ViewError> {
        let (mut scope, mut schema_url) = (None, "");
        for field in message.fields() {
            let field = field?;
            match field.number {
                1 => once(&mut scope, field)?,
                2 => drop(field.message()?),
                3 => schema_url = field.text()?,
                _ => field.unknown(message)?,
            }
        }
        Ok(Self {
            message,
            scope: scope.map(ScopeView::parse).transpose()?,
            schema_url,
        })
    }

    /// The scope; `None` where the message has none.
    pub fn scope(&self) -> Option<&ScopeView<'a>> {
        self.scope.as_ref()
    }

    /// The scope's schema URL; empty where there is none.
    pub fn schema_url(&self) -> &'a str {
        self.schema_url
    }

    /// The spans.
    pub fn spans(&self) -> Repeated<'a, SpanView<'a>> {
        self.message.repeated(2, SpanView::parse)
    }

    /// Reads everything, however deep.
    ///
    /// # Errors
    ///
    /// The first fault, in the order of reading.
    pub fn validate(&self) -> Result<(), ViewError> {
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
