use super::encoding::OneEncoding;
use super::overlay::Overlay;
use opentelemetry::{Key, KeyValue};
use std::collections::HashMap;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use zerospan_core::{Attribute, AttributeSource, EncodingCache};

/// An immutable set of attributes, shared by any number of spans: a clone copies a pointer.
///
/// Keys are unique: of attributes with the same key the last value is kept, at the position of the first, as the
/// specification demands. The set stores its encoding, so that all clones together are encoded once.
///
/// # Examples
///
/// ```
/// use opentelemetry::KeyValue;
/// use zerospan_attributes::SharedAttributes;
/// use zerospan_core::AttributeSource;
///
/// let shared: SharedAttributes = [
///     KeyValue::new("deployment.environment.name", "staging"),
///     KeyValue::new("cloud.region", "eu-central-1"),
///     KeyValue::new("deployment.environment.name", "production"),
/// ]
/// .into_iter()
/// .collect();
/// assert_eq!(shared.len(), 2);
/// assert_eq!(shared[0].value, "production".into());
///
/// let for_another_span = shared.clone();
/// assert!(for_another_span.is_same(&shared));
/// ```
#[derive(Clone)]
pub struct SharedAttributes(Arc<Shared>);

struct Shared {
    attributes: Box<[KeyValue]>,
    encoding: OneEncoding,
}

impl SharedAttributes {
    /// Builds a set. Allocates it twice, and a temporary map of the keys.
    pub fn new(attributes: impl IntoIterator<Item = KeyValue>) -> Self {
        let mut positions: HashMap<Key, usize> = HashMap::new();
        let mut unique: Vec<KeyValue> = Vec::new();
        // One by one: `collect` and `extend` would reserve a wrong `size_hint`.
        for attribute in attributes {
            match positions.get(&attribute.key) {
                Some(&position) => unique[position] = attribute,
                None => {
                    positions.insert(attribute.key.clone(), unique.len());
                    unique.push(attribute);
                }
            }
        }
        Self(Arc::new(Shared {
            attributes: unique.into_boxed_slice(),
            encoding: OneEncoding::new(),
        }))
    }

    /// Returns the attributes, in order.
    #[inline]
    pub fn as_slice(&self) -> &[KeyValue] {
        &self.0.attributes
    }

    /// Returns `true` if `other` is a clone of this set: the same memory, and not only equal attributes.
    #[inline]
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Returns this set as the base of an [`Overlay`] with up to `N` overrides. Copies a pointer.
    #[inline]
    pub fn overlay<A: zerospan_core::AsAttribute, const N: usize>(&self) -> Overlay<Self, A, N> {
        Overlay::new(self.clone())
    }
}

/// An empty set. Allocates once.
impl Default for SharedAttributes {
    fn default() -> Self {
        Self::new([])
    }
}

impl Deref for SharedAttributes {
    type Target = [KeyValue];

    #[inline]
    fn deref(&self) -> &[KeyValue] {
        self.as_slice()
    }
}

impl PartialEq for SharedAttributes {
    fn eq(&self, other: &Self) -> bool {
        self.is_same(other) || self.as_slice() == other.as_slice()
    }
}

impl fmt::Debug for SharedAttributes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.as_slice()).finish()
    }
}

impl AttributeSource for SharedAttributes {
    #[inline]
    fn len(&self) -> usize {
        self.as_slice().len()
    }

    #[inline]
    fn for_each<'a>(&'a self, visit: impl FnMut(Attribute<'a>)) {
        AttributeSource::for_each(self.as_slice(), visit);
    }

    /// Returns the cache that all clones share.
    #[inline]
    fn encoding_cache(&self) -> Option<&dyn EncodingCache> {
        Some(&self.0.encoding)
    }
}

impl FromIterator<KeyValue> for SharedAttributes {
    fn from_iter<I: IntoIterator<Item = KeyValue>>(attributes: I) -> Self {
        Self::new(attributes)
    }
}

impl From<Vec<KeyValue>> for SharedAttributes {
    fn from(attributes: Vec<KeyValue>) -> Self {
        Self::new(attributes)
    }
}

impl<const N: usize> From<[KeyValue; N]> for SharedAttributes {
    fn from(attributes: [KeyValue; N]) -> Self {
        Self::new(attributes)
    }
}
