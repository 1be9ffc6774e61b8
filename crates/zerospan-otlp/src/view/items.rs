//! The envelope of a request, which is the same for spans and log records.

use super::repeated::Repeated;
use super::resource::ResourceView;
use super::scope::ScopeView;
use crate::protobuf::schema::{export_request, resource_items, scope_items};
use crate::protobuf::{DecodeError, Message};
use std::fmt;

type Parse<'a, T> = fn(Message<'a>) -> Result<T, DecodeError>;

/// `ExportTraceServiceRequest`, and likewise `ExportLogsServiceRequest`.
#[derive(Clone, Copy)]
pub(super) struct RequestItems<'a> {
    message: Message<'a>,
}

impl<'a> RequestItems<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self {
            message: Message::new(bytes),
        }
    }

    /// Returns the items of each resource, which `parse` reads.
    pub(super) fn resources<T>(&self, parse: Parse<'a, T>) -> Repeated<'a, T> {
        Repeated::new(self.message, export_request::RESOURCE_ITEMS, parse)
    }

    /// Reads everything. `validate` reads the items of a resource.
    pub(super) fn validate(
        &self,
        validate: impl Fn(Message<'a>) -> Result<(), DecodeError>,
    ) -> Result<(), DecodeError> {
        for field in self.message.fields() {
            let field = field?;
            match field.number {
                export_request::RESOURCE_ITEMS => validate(field.message()?)?,
                _ => field.skip(self.message)?,
            }
        }
        Ok(())
    }

    pub(super) fn debug(&self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(name)
            .field("bytes", &self.message.bytes().len())
            .finish_non_exhaustive()
    }
}

/// `ResourceSpans`, and likewise `ResourceLogs`.
#[derive(Clone)]
pub(super) struct ResourceItems<'a> {
    message: Message<'a>,
    pub(super) resource: Option<ResourceView<'a>>,
    pub(super) schema_url: &'a str,
}

impl<'a> ResourceItems<'a> {
    pub(super) fn parse(message: Message<'a>) -> Result<Self, DecodeError> {
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

    /// Returns the items of each scope, which `parse` reads.
    pub(super) fn scopes<T>(&self, parse: Parse<'a, T>) -> Repeated<'a, T> {
        Repeated::new(self.message, resource_items::SCOPE_ITEMS, parse)
    }

    pub(super) fn validate_resource(&self) -> Result<(), DecodeError> {
        self.resource
            .as_ref()
            .map_or(Ok(()), ResourceView::validate)
    }

    pub(super) fn debug(&self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(name)
            .field("resource", &self.resource)
            .field("schema_url", &self.schema_url)
            .finish_non_exhaustive()
    }
}

/// `ScopeSpans`, and likewise `ScopeLogs`.
#[derive(Clone)]
pub(super) struct ScopeItems<'a> {
    message: Message<'a>,
    pub(super) scope: Option<ScopeView<'a>>,
    pub(super) schema_url: &'a str,
}

impl<'a> ScopeItems<'a> {
    pub(super) fn parse(message: Message<'a>) -> Result<Self, DecodeError> {
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

    /// Returns the items, which `parse` reads.
    pub(super) fn items<T>(&self, parse: Parse<'a, T>) -> Repeated<'a, T> {
        Repeated::new(self.message, scope_items::ITEMS, parse)
    }

    pub(super) fn validate_scope(&self) -> Result<(), DecodeError> {
        self.scope.as_ref().map_or(Ok(()), ScopeView::validate)
    }

    pub(super) fn debug(&self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(name)
            .field("scope", &self.scope)
            .field("schema_url", &self.schema_url)
            .finish_non_exhaustive()
    }
}
