use super::repeated::Repeated;
use super::value::AttributeView;
use crate::protobuf::schema::scope;
use crate::protobuf::{DecodeError, Message};
use std::fmt;

/// An instrumentation scope in encoded bytes.
#[derive(Clone)]
pub struct ScopeView<'a> {
    message: Message<'a>,
    name: &'a str,
    version: &'a str,
    dropped_attributes: u32,
}

impl<'a> ScopeView<'a> {
    pub(super) fn parse(message: Message<'a>) -> Result<Self, DecodeError> {
        let (mut name, mut version, mut dropped_attributes) = ("", "", 0);
        for field in message.fields() {
            let field = field?;
            match field.number {
                scope::NAME => name = field.text()?,
                scope::VERSION => version = field.text()?,
                scope::ATTRIBUTES => drop(field.message()?),
                scope::DROPPED_ATTRIBUTES_COUNT => dropped_attributes = field.varint()? as u32,
                _ => field.skip(message)?,
            }
        }
        Ok(Self {
            message,
            name,
            version,
            dropped_attributes,
        })
    }

    /// Returns the name.
    pub fn name(&self) -> &'a str {
        self.name
    }

    /// Returns the version, or an empty text if there is none.
    pub fn version(&self) -> &'a str {
        self.version
    }

    /// Returns the attributes.
    pub fn attributes(&self) -> Repeated<'a, AttributeView<'a>> {
        Repeated::new(self.message, scope::ATTRIBUTES, AttributeView::parse)
    }

    /// Returns the number of attributes that were dropped.
    pub fn dropped_attributes(&self) -> u32 {
        self.dropped_attributes
    }

    pub(super) fn validate(&self) -> Result<(), DecodeError> {
        self.attributes()
            .try_for_each(|attribute| attribute?.validate())
    }
}

impl fmt::Debug for ScopeView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScopeView")
            .field("name", &self.name)
            .field("version", &self.version)
            .field("dropped_attributes", &self.dropped_attributes)
            .finish_non_exhaustive()
    }
}
