use opentelemetry::{InstrumentationScope, KeyValue};
use std::ptr::NonNull;

/// The address and the length of a text.
type TextPointer = (NonNull<u8>, usize);

/// An instrumentation scope to compare others with.
///
/// The texts of most scopes are constants. So the addresses of the texts are compared first: texts at the same address are
/// equal. Otherwise the contents are compared. Does not allocate, unlike the `Eq` of [`InstrumentationScope`].
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct ScopeIdentity<'a> {
    scope: &'a InstrumentationScope,
    pointers: Option<TextPointers>,
}

impl<'a> ScopeIdentity<'a> {
    /// Creates the identity of `scope`.
    #[inline]
    pub fn new(scope: &'a InstrumentationScope) -> Self {
        Self {
            scope,
            pointers: TextPointers::new(scope),
        }
    }

    /// Returns the scope.
    #[inline]
    pub fn scope(&self) -> &'a InstrumentationScope {
        self.scope
    }

    /// Returns `true` if the texts of `scope` are known to be those of this one, without a look at them.
    #[inline]
    pub fn has_same_texts(&self, other: &Self) -> bool {
        self.pointers.is_some() && self.pointers == other.pointers
    }

    /// Returns `true` if `scope` is equal to this one.
    #[inline(always)]
    pub fn matches(&self, scope: &InstrumentationScope) -> bool {
        self.pointers
            .is_some_and(|pointers| pointers.are_those_of(scope))
            || equal(self.scope, scope)
    }
}

/// The texts of a scope without attributes, by address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct TextPointers {
    name: TextPointer,
    version: Option<TextPointer>,
    schema_url: Option<TextPointer>,
}

impl TextPointers {
    #[inline]
    fn new(scope: &InstrumentationScope) -> Option<Self> {
        if scope.attributes().next().is_some() {
            return None;
        }
        Some(Self {
            name: pointer(scope.name()),
            version: scope.version().map(pointer),
            schema_url: scope.schema_url().map(pointer),
        })
    }

    /// Compares with [`new`](Self::new) of `scope`, without creating that.
    #[inline(always)]
    fn are_those_of(&self, scope: &InstrumentationScope) -> bool {
        let same = |held: Option<TextPointer>, text: Option<&str>| match text {
            Some(text) => held.is_some_and(|held| held == pointer(text)),
            None => held.is_none(),
        };
        scope.attributes().next().is_none()
            && self.name == pointer(scope.name())
            && same(self.version, scope.version())
            && same(self.schema_url, scope.schema_url())
    }
}

#[inline(always)]
fn pointer(text: &str) -> TextPointer {
    (NonNull::from(text).cast(), text.len())
}

/// Compares two scopes as their `Eq` does. That one allocates if there are attributes.
///
/// A scope is equal to itself, also with an attribute that is not, such as a NaN.
#[inline(never)]
fn equal(one: &InstrumentationScope, other: &InstrumentationScope) -> bool {
    std::ptr::eq(one, other)
        || (one.name() == other.name()
            && one.version() == other.version()
            && one.schema_url() == other.schema_url()
            && same_attributes(one, other))
}

/// Compares the attributes of two scopes in any order.
fn same_attributes(one: &InstrumentationScope, other: &InstrumentationScope) -> bool {
    let (mut left, mut right) = (one.attributes(), other.attributes());
    loop {
        match (left.next(), right.next()) {
            (None, None) => return true,
            (Some(one), Some(other)) if one == other => {}
            _ => break,
        }
    }
    let occurrences = |scope: &InstrumentationScope, attribute: &KeyValue| {
        scope.attributes().filter(|held| *held == attribute).count()
    };
    one.attributes().count() == other.attributes().count()
        && one.attributes().all(|attribute| {
            let count = occurrences(one, attribute);
            count > 0 && count == occurrences(other, attribute)
        })
}

#[cfg(test)]
mod tests {
    use super::ScopeIdentity;
    use opentelemetry::{InstrumentationScope, KeyValue};

    fn scope(attributes: &[KeyValue]) -> InstrumentationScope {
        let builder = InstrumentationScope::builder("name".to_owned());
        builder.with_attributes(attributes.to_vec()).build()
    }

    #[test]
    fn scopes_match_as_their_own_equality_has_it() {
        let (a, b, c) = (
            KeyValue::new("a", 1),
            KeyValue::new("b", "text"),
            KeyValue::new("a", 2),
        );
        let sets = [
            vec![],
            vec![a.clone()],
            vec![a.clone(), b.clone()],
            vec![b.clone(), a.clone()],
            vec![b.clone(), c.clone()],
            vec![a, b, c],
        ];
        let mut scopes: Vec<_> = sets.iter().map(|attributes| scope(attributes)).collect();
        scopes.push(InstrumentationScope::builder("name").build());
        scopes.push(InstrumentationScope::builder("other").build());
        for version in ["1", "2"] {
            let builder = || InstrumentationScope::builder("name").with_version(version);
            scopes.push(builder().build());
            scopes.push(builder().with_schema_url("url").build());
        }
        for one in &scopes {
            for other in &scopes {
                let matches = ScopeIdentity::new(one).matches(other);
                assert_eq!(matches, one == other, "{one:?} {other:?}");
            }
        }
    }

    #[test]
    fn a_scope_matches_itself_also_with_an_attribute_that_does_not() {
        let nan = scope(&[KeyValue::new("a", f64::NAN)]);
        assert!(ScopeIdentity::new(&nan).matches(&nan));
        assert!(!ScopeIdentity::new(&nan).matches(&nan.clone()));
        assert!(!ScopeIdentity::new(&nan).matches(&scope(&[KeyValue::new("b", f64::NAN)])));
    }

    #[test]
    fn texts_are_known_to_be_the_same_at_the_same_addresses_alone() {
        let constant = || {
            InstrumentationScope::builder("name")
                .with_version("1")
                .with_schema_url("url")
        };
        let one = constant().build();
        let same = |other: &InstrumentationScope| {
            let (one, other) = (ScopeIdentity::new(&one), ScopeIdentity::new(other));
            one.has_same_texts(&other)
        };
        assert!(same(&one) && same(&constant().build()));
        assert!(!same(&constant().with_version("2").build()));
        assert!(!same(&constant().with_schema_url("other").build()));
        assert!(!same(&InstrumentationScope::builder("name").build()));
        assert!(!same(&constant().with_version("1".to_owned()).build()));
        let with_attributes = constant().with_attributes([KeyValue::new("a", 1)]).build();
        assert!(!same(&with_attributes));
        let identity = ScopeIdentity::new(&with_attributes);
        assert!(
            !identity.has_same_texts(&identity),
            "attributes are not texts"
        );
    }
}
