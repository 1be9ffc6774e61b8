use arrayvec::ArrayVec;
use std::fmt;
use std::mem;
use zerospan_core::{
    AsAttribute, Attribute, AttributeSink, AttributeSource, CapacityError, ExtendError,
};

/// A base set with up to `N` overrides, without a copy of the base: 'the shared set plus three attributes'.
///
/// The base is any [`AttributeSource`]: a [`SharedAttributes`](crate::SharedAttributes) or a reference to one, a
/// [`StaticAttributes`](crate::StaticAttributes). Overrides are stored inline, each an `A`: a `KeyValue`, a borrowed
/// `(&str, &str)`, or an [`Attribute`].
///
/// An override shadows the base's attributes of the same key. The base is listed first, without the shadowed
/// attributes, then the overrides in the order in which their keys were first set. The count is exact.
///
/// [`try_set`](Self::try_set) compares the key with that of each override, and a new key with each key of the base.
/// [`len`](AttributeSource::len) takes constant time. Listing compares each key of the base with each override only if an
/// attribute is shadowed. Nothing allocates.
///
/// # Examples
///
/// ```
/// use opentelemetry::KeyValue;
/// use zerospan_attributes::{Overlay, SharedAttributes};
/// use zerospan_core::{AttributeSource, CapacityError};
///
/// let shared = SharedAttributes::new([KeyValue::new("tier", "web"), KeyValue::new("zone", "a")]);
/// let mut overlay: Overlay<_, (&str, &str), 2> = Overlay::new(&shared);
/// assert!(overlay.try_set(("http.route", "/")).is_ok());
/// assert!(overlay.try_set(("zone", "b")).is_ok());
///
/// let mut listed = Vec::new();
/// overlay.for_each(|attribute| listed.push(attribute.key));
/// assert_eq!(listed, ["tier", "http.route", "zone"]);
/// assert_eq!(overlay.try_set(("full", "yes")), Err(CapacityError::new(("full", "yes"), 2)));
/// ```
#[derive(Clone)]
pub struct Overlay<B, A = opentelemetry::KeyValue, const N: usize = 4> {
    base: B,
    overrides: ArrayVec<A, N>,
    /// The number of the base's attributes whose key is in `overrides`.
    shadowed: usize,
}

impl<B: AttributeSource, A: AsAttribute, const N: usize> Overlay<B, A, N> {
    /// Builds an overlay without overrides. Does not allocate.
    #[inline]
    pub fn new(base: B) -> Self {
        Self {
            base,
            overrides: ArrayVec::new(),
            shadowed: 0,
        }
    }

    /// Sets an override and returns the former override of its key. Does not allocate.
    ///
    /// # Errors
    ///
    /// [`CapacityError`] with the attribute, if its key is new and there are `N` overrides.
    pub fn try_set(&mut self, attribute: A) -> Result<Option<A>, CapacityError<A>> {
        let key = attribute.as_attribute().key;
        let mut overrides = self.overrides.iter_mut();
        if let Some(known) = overrides.find(|known| known.as_attribute().key == key) {
            return Ok(Some(mem::replace(known, attribute)));
        }
        if self.overrides.is_full() {
            return Err(CapacityError::new(attribute, N));
        }
        let mut shadowed = 0;
        self.base
            .for_each(|base| shadowed += usize::from(base.key == key));
        self.overrides.push(attribute);
        self.shadowed += shadowed;
        Ok(None)
    }

    /// Returns the base.
    #[inline]
    pub fn base(&self) -> &B {
        &self.base
    }

    /// Returns the overrides, in the order in which their keys were first set.
    #[inline]
    pub fn overrides(&self) -> &[A] {
        &self.overrides
    }

    /// Returns the number of the base's attributes that are shadowed by overrides.
    #[inline]
    pub fn shadowed(&self) -> usize {
        self.shadowed
    }

    /// Removes the overrides.
    pub fn clear(&mut self) {
        // First, since dropping an override may panic.
        self.shadowed = 0;
        self.overrides.clear();
    }

    /// Appends the overlay to `sink`, as [`AttributeSink::push_all`] does, but passes the base as a whole if none of it is
    /// shadowed, so that an encoder can copy the encoding of a shared base.
    ///
    /// # Errors
    ///
    /// [`ExtendError`] with the number of rejected attributes and the reason for the first.
    pub fn push_into<S: AttributeSink + ?Sized>(&self, sink: &mut S) -> Result<(), ExtendError> {
        if self.shadowed > 0 {
            return sink.push_all(self);
        }
        let base = sink.push_all(&self.base);
        let overrides = sink.push_all(self.overrides());
        match (base, overrides) {
            (Err(base), Err(overrides)) => Err(ExtendError::new(
                base.rejected + overrides.rejected,
                base.cause,
            )),
            (base, overrides) => base.and(overrides),
        }
    }

    fn shadows(&self, key: &str) -> bool {
        self.overrides
            .iter()
            .any(|attribute| attribute.as_attribute().key == key)
    }
}

impl<B: AttributeSource, A: AsAttribute, const N: usize> AttributeSource for Overlay<B, A, N> {
    #[inline]
    fn len(&self) -> usize {
        self.base.len() - self.shadowed + self.overrides.len()
    }

    #[inline]
    fn for_each<'a>(&'a self, mut visit: impl FnMut(Attribute<'a>)) {
        if self.shadowed == 0 {
            self.base.for_each(&mut visit);
        } else {
            self.base.for_each(|attribute| {
                if !self.shadows(attribute.key) {
                    visit(attribute);
                }
            });
        }
        AttributeSource::for_each(self.overrides(), visit);
    }
}

impl<B: AttributeSource, A: AsAttribute, const N: usize> fmt::Debug for Overlay<B, A, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        self.for_each(|attribute| {
            map.entry(&attribute.key, &attribute.value);
        });
        map.finish()
    }
}
