use crate::Overlay;
use crate::encoding::OneEncoding;
use opentelemetry::{Key, KeyValue};
use std::collections::HashMap;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use zerospan_core::{Attribute, AttributeSource, EncodingCache};

/// One unchanging set of attributes, shared by as many spans as like: a clone copies a pointer.
///
/// Keys are unique: of attributes with the same key the last one's value is kept, at the place of the first, as the
/// specification asks. The set keeps the bytes that an encoder made of it, so it is encoded once, however many clones are
/// recorded.
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
    /// Takes the attributes. Allocates the set: twice, besides what finding equal keys takes meanwhile.
    pub fn new(attributes: impl IntoIterator<Item = KeyValue>) -> Self {
        let mut places: HashMap<Key, usize> = HashMap::new();
        let mut unique: Vec<KeyValue> = Vec::new();
        // Pushed one by one: what a `size_hint` claims is not reserved.
        for attribute in attributes {
            match places.get(&attribute.key) {
                Some(&place) => unique[place] = attribute,
                None => {
                    places.insert(attribute.key.clone(), unique.len());
                    unique.push(attribute);
                }
            }
        }
        Self(Arc::new(Shared {
            attributes: unique.into_boxed_slice(),
            encoding: OneEncoding::new(),
        }))
    }

    /// The attributes, in order.
    #[inline]
    pub fn as_slice(&self) -> &[KeyValue] {
        &self.0.attributes
    }

    /// Whether `other` is a clone of this set: the same memory, not just equal attributes.
    #[inline]
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// This set with up to `N` attributes of your own before it: see [`Overlay`]. Copies a pointer.
    #[inline]
    pub fn overlay<A: zerospan_core::AsAttribute, const N: usize>(&self) -> Overlay<Self, A, N> {
        Overlay::new(self.clone())
    }
}

/// An empty set. Allocates its one shared part.
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

    /// One cache for all clones.
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
