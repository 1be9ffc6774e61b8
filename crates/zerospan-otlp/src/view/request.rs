//! The requests of each signal: the same envelope around other items.

use super::items::{RequestItems, ResourceItems, ScopeItems};
use super::log_record::LogRecordView;
use super::repeated::Repeated;
use super::resource::ResourceView;
use super::scope::ScopeView;
use super::span::SpanView;
use crate::protobuf::{DecodeError, Message};
use std::fmt;

/// Defines the views of a signal's request, of the items of a resource in it, and of those of a scope.
macro_rules! request_views {
    (
        $items:literal,
        $(#[$attribute:meta])*
        $Request:ident.$resources:ident,
        $Resource:ident.$scopes:ident,
        $Scope:ident($message:literal).$field:ident,
        $Item:ident,
        $Recorder:literal,
    ) => {
        $(#[$attribute])*
        #[derive(Clone, Copy)]
        pub struct $Request<'a> {
            items: RequestItems<'a>,
        }

        impl<'a> $Request<'a> {
            /// Creates a view of `bytes`, without reading them.
            pub fn new(bytes: &'a [u8]) -> Self {
                let items = RequestItems::new(bytes);
                Self { items }
            }

            #[doc = concat!("Returns the ", $items, " of each resource.")]
            pub fn $resources(&self) -> Repeated<'a, $Resource<'a>> {
                self.items.resources($Resource::parse)
            }

            /// Reads everything, nested messages included.
            ///
            /// # Errors
            ///
            /// Returns the first fault, in the order of reading.
            pub fn validate(&self) -> Result<(), DecodeError> {
                self.items
                    .validate(|resource| $Resource::parse(resource)?.validate())
            }
        }

        impl fmt::Debug for $Request<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.items.debug(stringify!($Request), f)
            }
        }

        #[doc = concat!("The ", $items, " of one resource, in encoded bytes.")]
        #[derive(Clone)]
        pub struct $Resource<'a> {
            items: ResourceItems<'a>,
        }

        impl<'a> $Resource<'a> {
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

            #[doc = concat!("Returns the ", $items, " of each scope.")]
            pub fn $scopes(&self) -> Repeated<'a, $Scope<'a>> {
                self.items.scopes($Scope::parse)
            }

            fn validate(&self) -> Result<(), DecodeError> {
                self.items.validate_resource()?;
                self.$scopes().try_for_each(|scope| scope?.validate())
            }
        }

        impl fmt::Debug for $Resource<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.items.debug(stringify!($Resource), f)
            }
        }

        #[doc = concat!("The ", $items, " of one scope, in encoded bytes.")]
        #[derive(Clone)]
        pub struct $Scope<'a> {
            items: ScopeItems<'a>,
        }

        impl<'a> $Scope<'a> {
            #[doc = concat!("Reads the content of a `", $message, "`.")]
            ///
            #[doc = concat!("Reads a run of encoded ", $items, " as well, as [`", $Recorder, "::finish`](crate::", $Recorder, "::finish) appends them.")]
            ///
            /// # Errors
            ///
            #[doc = concat!("Returns the first fault outside the ", $items, ", which are read later.")]
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

            #[doc = concat!("Returns the ", $items, ".")]
            pub fn $field(&self) -> Repeated<'a, $Item<'a>> {
                self.items.items($Item::parse)
            }

            /// Reads everything, nested messages included.
            ///
            /// # Errors
            ///
            /// Returns the first fault, in the order of reading.
            pub fn validate(&self) -> Result<(), DecodeError> {
                self.items.validate_scope()?;
                self.$field().try_for_each(|item| item?.validate())
            }
        }

        impl fmt::Debug for $Scope<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.items.debug(stringify!($Scope), f)
            }
        }
    };
}

request_views! {
    "spans",
    /// A whole request, `ExportTraceServiceRequest`, read in place.
    ///
    /// Skips unknown fields. Reads no byte before it is asked for. Does not allocate.
    ///
    /// # Examples
    ///
    /// ```
    /// use zerospan_otlp::{DecodeErrorKind, RequestView};
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
    RequestView.resource_spans,
    ResourceSpansView.scope_spans,
    ScopeSpansView("ScopeSpans").spans,
    SpanView,
    "SpanRecorder",
}

request_views! {
    "log records",
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
    LogsRequestView.resource_logs,
    ResourceLogsView.scope_logs,
    ScopeLogsView("ScopeLogs").log_records,
    LogRecordView,
    "LogRecordRecorder",
}
