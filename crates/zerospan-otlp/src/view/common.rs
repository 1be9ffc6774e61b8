use super::message::{Message, Repeated, Texts};
use super::{AttributeView, ViewError};
use std::fmt;

/// A resource of encoded bytes.
#[derive(Clone)]
pub struct ResourceView<'a> {
    message: Message<'a>,
    dropped_attributes: u32,
}

impl<'a> ResourceView<'a> {
    pub(super) fn parse(message: Message<'a>) -> Result<Self, ViewError> {
        let mut dropped_attributes = 0;
        for field in message.fields() {
            let field = field?;
            match field.number {
                1 | 3 => drop(field.message()?),
                2 => dropped_attributes = field.varint()? as u32,
                _ => field.unknown(message)?,
            }
        }
        Ok(Self {
            message,
            dropped_attributes,
        })
    }

    /// The resource's attributes.
    pub fn attributes(&self) -> Repeated<'a, AttributeView<'a>> {
        self.message.repeated(1, AttributeView::parse)
    }

    /// How many attributes were dropped.
    pub fn dropped_attributes(&self) -> u32 {
        self.dropped_attributes
    }

    /// The entities that the resource describes.
    pub fn entity_refs(&self) -> Repeated<'a, EntityRefView<'a>> {
        self.message.repeated(3, EntityRefView::parse)
    }

    pub(super) fn validate(&self) -> Result<(), ViewError> {
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

/// A reference to an entity, of encoded bytes.
#[derive(Clone)]
pub struct EntityRefView<'a> {
    message: Message<'a>,
    schema_url: &'a str,
    entity_type: &'a str,
}

impl<'a> EntityRefView<'a> {
    fn parse(message: Message<'a>) -> Result<Self, ViewError> {
        let (mut schema_url, mut entity_type) = ("", "");
        for field in message.fields() {
            let field = field?;
            match field.number {
                1 => schema_url = field.text()?,
                2 => entity_type = field.text()?,
                3 | 4 => drop(field.text()?),
                _ => field.unknown(message)?,
            }
        }
        Ok(Self {
            message,
            schema_url,
            entity_type,
        })
    }

    /// The schema URL; empty where there is none.
    pub fn schema_url(&self) -> &'a str {
        self.schema_url
    }

    /// The entity's type.
    pub fn entity_type(&self) -> &'a str {
        self.entity_type
    }

    /// The keys of the attributes that identify the entity.
    pub fn id_keys(&self) -> Texts<'a> {
        self.message.texts(3)
    }

    /// The keys of the attributes that describe the entity.
    pub fn description_keys(&self) -> Texts<'a> {
        self.message.texts(4)
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

/// An instrumentation scope of encoded bytes.
#[derive(Clone)]
pub struct ScopeView<'a> {
    message: Message<'a>,
    name: &'a str,
    version: &'a str,
    dropped_attributes: u32,
}

impl<'a> ScopeView<'a> {
    pub(super) fn parse(message: Message<'a>) -> Result<Self, ViewError> {
        let (mut name, mut version, mut dropped_attributes) = ("", "", 0);
        for field in message.fields() {
            let field = field?;
            match field.number {
                1 => name = field.text()?,
                2 => version = field.text()?,
                3 => drop(field.message()?),
                4 => dropped_attributes = field.varint()? as u32,
                _ => field.unknown(message)?,
            }
        }
        Ok(Self {
            message,
            name,
            version,
            dropped_attributes,
        })
    }

    /// The scope's name.
    pub fn name(&self) -> &'a str {
        self.name
    }

    /// The scope's version; empty where there is none.
    pub fn version(&self) -> &'a str {
        self.version
    }

    /// The scope's attributes.
    pub fn attributes(&self) -> Repeated<'a, AttributeView<'a>> {
        self.message.repeated(3, AttributeView::parse)
    }

    /// How many attributes were dropped.
    pub fn dropped_attributes(&self) -> u32 {
        self.dropped_attributes
    }

    pub(super) fn validate(&self) -> Result<(), ViewError> {
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
