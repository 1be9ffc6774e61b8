use opentelemetry::InstrumentationScope;
use std::sync::Arc;
use zerospan_otlp::EncodedScope;

/// An instrumentation scope, encoded once: what each span is recorded under.
///
/// Cloning it copies a pointer. Two scopes with the same content are the same to the collector, wherever they were made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope(Arc<EncodedScope>);

impl Scope {
    /// Encodes `scope`. Allocates a few times: keep the outcome.
    pub fn new(scope: &InstrumentationScope) -> Self {
        Self(Arc::new(EncodedScope::new(scope)))
    }

    pub(crate) fn encoded(&self) -> &EncodedScope {
        &self.0
    }

    /// Whether this is the same allocation: what a run of spans is told by.
    #[inline]
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl From<&InstrumentationScope> for Scope {
    fn from(scope: &InstrumentationScope) -> Self {
        Self::new(scope)
    }
}
