use crate::{AsAttribute, Attribute, EncodingCache};

/// Something that lists attributes: a slice, an arena's set, a shared set, a fixed-capacity set.
///
/// Listing allocates nothing. The order is the set's own and does not change between two listings of an unchanged set.
///
/// # Examples
///
/// ```
/// use zerospan_core::AttributeSource;
///
/// fn longest_key(attributes: &impl AttributeSource) -> usize {
///     let mut longest = 0;
///     attributes.for_each(|attribute| longest = longest.max(attribute.key.len()));
///     longest
/// }
///
/// assert_eq!(longest_key(&[("http.route", "/"), ("db.system", "sqlite")]), 10);
/// ```
pub trait AttributeSource {
    /// How many attributes [`for_each`](Self::for_each) lists: exactly that many.
    fn len(&self) -> usize;

    /// Whether there is nothing to list.
    #[inline]
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Calls `visit` once for each attribute, in order. Does not allocate.
    fn for_each<'a>(&'a self, visit: impl FnMut(Attribute<'a>));

    /// Where an encoder may keep the bytes that it made of this set, for the next span that shares it.
    ///
    /// `None`, the default, means that the set is encoded anew each time. A set that answers `Some` never changes.
    #[inline]
    fn encoding_cache(&self) -> Option<&dyn EncodingCache> {
        None
    }
}

impl<T: AsAttribute> AttributeSource for [T] {
    #[inline]
    fn len(&self) -> usize {
        <[T]>::len(self)
    }

    #[inline]
    fn for_each<'a>(&'a self, mut visit: impl FnMut(Attribute<'a>)) {
        for attribute in self {
            visit(attribute.as_attribute());
        }
    }
}

impl<T: AsAttribute, const N: usize> AttributeSource for [T; N] {
    #[inline]
    fn len(&self) -> usize {
        N
    }

    #[inline]
    fn for_each<'a>(&'a self, visit: impl FnMut(Attribute<'a>)) {
        AttributeSource::for_each(self.as_slice(), visit);
    }
}

impl<T: AsAttribute> AttributeSource for Vec<T> {
    #[inline]
    fn len(&self) -> usize {
        Vec::len(self)
    }

    #[inline]
    fn for_each<'a>(&'a self, visit: impl FnMut(Attribute<'a>)) {
        AttributeSource::for_each(self.as_slice(), visit);
    }
}

impl<S: AttributeSource + ?Sized> AttributeSource for &S {
    #[inline]
    fn len(&self) -> usize {
        (**self).len()
    }

    #[inline]
    fn for_each<'a>(&'a self, visit: impl FnMut(Attribute<'a>)) {
        (**self).for_each(visit);
    }

    #[inline]
    fn encoding_cache(&self) -> Option<&dyn EncodingCache> {
        (**self).encoding_cache()
    }
}
