use opentelemetry::InstrumentationScope;
use std::sync::Arc;
use zerospan_otlp::EncodedScope;

/// An instrumentation scope, encoded once and shared by all items that are recorded under it.
///
/// Cloning it copies a pointer. Scopes of equal content are one scope in a request, wherever they were made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope(Arc<EncodedScope>);

impl Scope {
    /// Encodes `scope`. Allocates a few times: keep the result.
    pub fn new(scope: &InstrumentationScope) -> Self {
        Self(Arc::new(EncodedScope::new(scope)))
    }

    pub(crate) fn encoded(&self) -> &EncodedScope {
        &self.0
    }

    /// Compares by address, which is enough to extend a run of items.
    #[inline]
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl From<&InstrumentationScope> for Scope {
    fn from(scope: &InstrumentationScope) -> Self {
        Self::new(scope)
    }
}
