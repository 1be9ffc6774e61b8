use super::items::{RequestItems, ResourceItems, ScopeItems};
use super::log_record::LogRecordView;
use super::repeated::Repeated;
use super::resource::ResourceView;
use super::scope::ScopeView;
use crate::protobuf::{DecodeError, Message};
use std::fmt;

/// A whole request with log records, `ExportLogsServiceRequest`, read in place.
///
/// Skips unknown fields. Reads no byte before it is asked for. Does not allocate.
///
/// # Examples
///
/// ```
/// use zerospan_otlp::{DecodeErrorKind, LogsRequestView};
///
/// // One `ResourceLogs` that claims more bytes than there are.
/// let request = LogsRequestView::new(&[0x0a, 0x05, 0x12]);
/// let error = request.validate().unwrap_err();
/// assert_eq!((error.offset, error.kind), (1, DecodeErrorKind::Truncated));
/// ```
///
/// Views borrow the bytes, which cannot change meanwhile:
///
/// ```compile_fail,E0502
/// use zerospan_otlp::LogsRequestView;
///
/// let mut bytes = vec![0x0a, 0x00];
/// let first = LogsRequestView::new(&bytes).resource_logs().next();
/// bytes.clear();
/// drop(first);
/// ```
#[derive(Clone, Copy)]
pub struct LogsRequestView<'a> {
    items: RequestItems<'a>,
}

impl<'a> LogsRequestView<'a> {
    /// Creates a view of `bytes`, without reading them.
    pub fn new(bytes: &'a [u8]) -> Self {
        let items = RequestItems::new(bytes);
        Self { items }
    }

    /// Returns the log records of each resource.
    pub fn resource_logs(&self) -> Repeated<'a, ResourceLogsView<'a>> {
        self.items.resources(ResourceLogsView::parse)
    }

    /// Reads everything, nested messages included.
    ///
    /// # Errors
    ///
    /// Returns the first fault, in the order of reading.
    pub fn validate(&self) -> Result<(), DecodeError> {
        self.items
            .validate(|resource| ResourceLogsView::parse(resource)?.validate())
    }
}

impl fmt::Debug for LogsRequestView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.items.debug("LogsRequestView", f)
    }
}

/// The log records of one resource, in encoded bytes.
#[derive(Clone)]
pub struct ResourceLogsView<'a> {
    items: ResourceItems<'a>,
}

impl<'a> ResourceLogsView<'a> {
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

    /// Returns the log records of each scope.
    pub fn scope_logs(&self) -> Repeated<'a, ScopeLogsView<'a>> {
        self.items.scopes(ScopeLogsView::parse)
    }

    fn validate(&self) -> Result<(), DecodeError> {
        self.items.validate_resource()?;
        self.scope_logs().try_for_each(|scope| scope?.validate())
    }
}

impl fmt::Debug for ResourceLogsView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.items.debug("ResourceLogsView", f)
    }
}

/// The log records of one scope, in encoded bytes.
#[derive(Clone)]
pub struct ScopeLogsView<'a> {
    items: ScopeItems<'a>,
}

impl<'a> ScopeLogsView<'a> {
    /// Reads the content of a `ScopeLogs`.
    ///
    /// Reads a run of encoded log records as well, as [`LogRecordRecorder::finish`](crate::LogRecordRecorder::finish) appends them.
    ///
    /// # Errors
    ///
    /// Returns the first fault outside the log records, which are read later.
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

    /// Returns the log records.
    pub fn log_records(&self) -> Repeated<'a, LogRecordView<'a>> {
        self.items.items(LogRecordView::parse)
    }

    /// Reads everything, nested messages included.
    ///
    /// # Errors
    ///
    /// Returns the first fault, in the order of reading.
    pub fn validate(&self) -> Result<(), DecodeError> {
        self.items.validate_scope()?;
        self.log_records().try_for_each(|record| record?.validate())
    }
}

impl fmt::Debug for ScopeLogsView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.items.debug("ScopeLogsView", f)
    }
}
