use super::repeated::{Repeated, Texts};
use super::value::AttributeView;
use crate::protobuf::schema::{entity_ref, resource};
use crate::protobuf::{DecodeError, Message};
use std::fmt;

/// A resource in encoded bytes.
#[derive(Clone)]
pub struct ResourceView<'a> {
    message: Message<'a>,
    dropped_attributes: u32,
}

impl<'a> ResourceView<'a> {
    pub(super) fn parse(message: Message<'a>) -> Result<Self, DecodeError> {
        let mut dropped_attributes = 0;
        for field in message.fields() {
            let field = field?;
            match field.number {
                resource::ATTRIBUTES | resource::ENTITY_REFS => drop(field.message()?),
                resource::DROPPED_ATTRIBUTES_COUNT => dropped_attributes = field.varint()? as u32,
                _ => field.skip(message)?,
            }
        }
        Ok(Self {
            message,
            dropped_attributes,
        })
    }

    /// Returns the attributes.
    pub fn attributes(&self) -> Repeated<'a, AttributeView<'a>> {
        Repeated::new(self.message, resource::ATTRIBUTES, AttributeView::parse)
    }

    /// Returns the number of attributes that were dropped.
    pub fn dropped_attributes(&self) -> u32 {
        self.dropped_attributes
    }

    /// Returns the entities that the resource describes.
    pub fn entity_refs(&self) -> Repeated<'a, EntityRefView<'a>> {
        Repeated::new(self.message, resource::ENTITY_REFS, EntityRefView::parse)
    }

    pub(super) fn validate(&self) -> Result<(), DecodeError> {
        self.attributes()
            .try_for_each(|attribute| attribute?.validate())?;
        self.entity_refs().try_for_each(|entity| entity.map(drop))
    }
}

impl fmt::Debug for ResourceView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResourceView")
            .field("dropped_attributes", &self.dropped_attributes)
            .finish_non_exhaustive()
    }
}

/// A reference to an entity in encoded bytes.
#[derive(Clone)]
pub struct EntityRefView<'a> {
    message: Message<'a>,
    schema_url: &'a str,
    entity_type: &'a str,
}

impl<'a> EntityRefView<'a> {
    fn parse(message: Message<'a>) -> Result<Self, DecodeError> {
        let (mut schema_url, mut entity_type) = ("", "");
        for field in message.fields() {
            let field = field?;
            match field.number {
                entity_ref::SCHEMA_URL => schema_url = field.text()?,
                entity_ref::TYPE => entity_type = field.text()?,
                entity_ref::ID_KEYS | entity_ref::DESCRIPTION_KEYS => drop(field.text()?),
                _ => field.skip(message)?,
            }
        }
        Ok(Self {
            message,
            schema_url,
            entity_type,
        })
    }

    /// Returns the schema URL, or an empty text if there is none.
    pub fn schema_url(&self) -> &'a str {
        self.schema_url
    }

    /// Returns the type of the entity.
    pub fn entity_type(&self) -> &'a str {
        self.entity_type
    }

    /// Returns the keys of the attributes that identify the entity.
    pub fn id_keys(&self) -> Texts<'a> {
        Texts::new(self.message, entity_ref::ID_KEYS)
    }

    /// Returns the keys of the attributes that describe the entity.
    pub fn description_keys(&self) -> Texts<'a> {
        Texts::new(self.message, entity_ref::DESCRIPTION_KEYS)
    }
}

impl fmt::Debug for EntityRefView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EntityRefView")
            .field("schema_url", &self.schema_url)
            .field("entity_type", &self.entity_type)
            .finish_non_exhaustive()
    }
}
