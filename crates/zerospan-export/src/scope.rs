use crate::wire;
use opentelemetry::InstrumentationScope;
use std::fmt;
use std::sync::Arc;

/// An instrumentation scope, encoded once: what each span is recorded under.
///
/// Cloning it copies a pointer. Two scopes with the same content are the same to the collector, wherever they were made.
#[derive(Clone)]
pub struct Scope(Arc<Encoded>);

struct Encoded {
    /// `ScopeSpans.scope`, field 1 with its tag.
    scope: Vec<u8>,
    /// `ScopeSpans.schema_url`, field 3 with its tag; empty if there is none.
    schema_url: Vec<u8>,
}

impl Scope {
    /// Encodes `scope`. Allocates a few times: keep the outcome.
    pub fn new(scope: &InstrumentationScope) -> Self {
        let mut encoded = Encoded {
            scope: Vec::new(),
            schema_url: Vec::new(),
        };
        wire::put_scope(&mut encoded.scope, scope);
        if let Some(url) = scope.schema_url() {
            wire::put_bytes(&mut encoded.schema_url, 3, url.as_bytes());
        }
        Self(Arc::new(encoded))
    }

    pub(crate) fn scope_field(&self) -> &[u8] {
        &self.0.scope
    }

    pub(crate) fn schema_url_field(&self) -> &[u8] {
        &self.0.schema_url
    }

    /// The bytes that the scope takes in a payload, beside its spans.
    pub(crate) fn encoded_len(&self) -> usize {
        self.0.scope.len() + self.0.schema_url.len()
    }

    /// Whether this is the same allocation: what a run of spans is told by.
    #[inline]
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Whether both encode the same scope.
    pub(crate) fn means(&self, other: &Self) -> bool {
        self.is(other) || (self.0.scope == other.0.scope && self.0.schema_url == other.0.schema_url)
    }
}

impl From<&InstrumentationScope> for Scope {
    fn from(scope: &InstrumentationScope) -> Self {
        Self::new(scope)
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope")
            .field("encoded_len", &self.encoded_len())
            .finish_non_exhaustive()
    }
}
