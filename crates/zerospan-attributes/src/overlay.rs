use arrayvec::ArrayVec;
use std::fmt;
use std::mem;
use zerospan_core::{
    AsAttribute, Attribute, AttributeSink, AttributeSource, CapacityError, ExtendError,
};

/// A base that is not copied, with up to `N` attributes of your own over it: 'the shared set plus three of mine'.
///
/// The base is any [`AttributeSource`]: a [`SharedAttributes`](crate::SharedAttributes) or a reference to one, a
/// [`StaticAttributes`](crate::StaticAttributes). Your own are kept inline, each an `A`: a `KeyValue`, or a borrowed
/// `(&str, &str)`, or an [`Attribute`].
///
/// A key of your own that is in the base too hides it there: the last value wins, and the count is exact. The base is
/// listed first, without what is shadowed, then your own in the order their keys were first set.
///
/// Costs: [`try_set`](Self::try_set) compares the key with each of your own, and with each of the base's the first time.
/// [`len`](AttributeSource::len) costs nothing. Listing costs nothing besides, as long as nothing is shadowed; otherwise each
/// key of the base is compared with each of your own. Nothing allocates.
///
/// # Examples
///
/// ```
/// use opentelemetry::KeyValue;
/// use zerospan_attributes::{Overlay, SharedAttributes};
/// use zerospan_core::{AttributeSource, CapacityError};
///
/// let shared = SharedAttributes::new([KeyValue::new("tier", "web"), KeyValue::new("zone", "a")]);
/// let mut mine: Overlay<_, (&str, &str), 2> = Overlay::new(&shared);
/// assert!(mine.try_set(("http.route", "/")).is_ok());
/// assert!(mine.try_set(("zone", "b")).is_ok());
///
/// let mut listed = Vec::new();
/// mine.for_each(|attribute| listed.push(attribute.key));
/// assert_eq!(listed, ["tier", "http.route", "zone"]);
/// assert_eq!(mine.try_set(("full", "yes")), Err(CapacityError::new(("full", "yes"), 2)));
/// ```
#[derive(Clone)]
pub struct Overlay<B, A = opentelemetry::KeyValue, const N: usize = 4> {
    base: B,
    overrides: ArrayVec<A, N>,
    /// How many of the base's attributes have a key of `own`.
    shadowed: usize,
}

impl<B: AttributeSource, A: AsAttribute, const N: usize> Overlay<B, A, N> {
    /// An overlay with nothing of its own yet. Does not allocate.
    #[inline]
    pub fn new(base: B) -> Self {
        Self {
            base,
            overrides: ArrayVec::new(),
            shadowed: 0,
        }
    }

    /// Sets an attribute, and returns the one of your own that had its key. Does not allocate.
    ///
    /// # Errors
    ///
    /// [`CapacityError`] with the attribute in it, if its key is new and there are `N` already.
    pub fn try_set(&mut self, attribute: A) -> Result<Option<A>, CapacityError<A>> {
        let key = attribute.as_attribute().key;
        let mut own = self.overrides.iter_mut();
        if let Some(place) = own.find(|own| own.as_attribute().key == key) {
            return Ok(Some(mem::replace(place, attribute)));
        }
        if self.overrides.is_full() {
            return Err(CapacityError::new(attribute, N));
        }
        let mut hides = 0;
        self.base
            .for_each(|base| hides += usize::from(base.key == key));
        self.overrides.push(attribute);
        self.shadowed += hides;
        Ok(None)
    }

    /// What is below.
    #[inline]
    pub fn base(&self) -> &B {
        &self.base
    }

    /// Your own attributes, in the order their keys were first set.
    #[inline]
    pub fn overrides(&self) -> &[A] {
        &self.overrides
    }

    /// How many of the base's attributes are shadowed by your own.
    #[inline]
    pub fn shadowed(&self) -> usize {
        self.shadowed
    }

    /// Forgets your own attributes; the base shows as it is.
    pub fn clear(&mut self) {
        // First, since what is dropped next may panic.
        self.shadowed = 0;
        self.overrides.clear();
    }

    /// Reads the overlay into `sink`, as [`AttributeSink::push_all`] does, but hands the base over whole where nothing of it
    /// is shadowed: an encoder then copies the bytes it made of a shared base before.
    ///
    /// # Errors
    ///
    /// [`ExtendError`] counts the attributes that were not taken and keeps the first cause.
    pub fn push_into<S: AttributeSink + ?Sized>(&self, sink: &mut S) -> Result<(), ExtendError> {
        if self.shadowed > 0 {
            return sink.push_all(self);
        }
        let base = sink.push_all(&self.base);
        let own = sink.push_all(self.overrides());
        match (base, own) {
            (Err(base), Err(own)) => {
                Err(ExtendError::new(base.rejected + own.rejected, base.cause))
            }
            (base, own) => base.and(own),
        }
    }

    fn hides(&self, key: &str) -> bool {
        self.overrides
            .iter()
            .any(|own| own.as_attribute().key == key)
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
                if !self.hides(attribute.key) {
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
