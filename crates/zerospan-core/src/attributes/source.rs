use crate::{AsAttribute, Attribute, EncodingCache};

/// A list of attributes: a slice, an arena's set, a shared set, a set of fixed capacity.
///
/// Listing does not allocate. Two listings of an unchanged set have the same order.
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
    /// Returns the exact number of attributes that [`for_each`](Self::for_each) lists.
    fn len(&self) -> usize;

    /// Returns `true` if there are no attributes.
    #[inline]
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Calls `visit` once for each attribute, in order. Does not allocate.
    fn for_each<'a>(&'a self, visit: impl FnMut(Attribute<'a>));

    /// Returns the storage in which an encoder keeps its encoding of this set, for later spans that share the set.
    ///
    /// Returns `None` by default: the set is encoded each time. A set that returns `Some` must be immutable.
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
