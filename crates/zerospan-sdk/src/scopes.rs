//! A thread-local cache of encoded scopes.

use opentelemetry::InstrumentationScope;
use std::cell::Cell;
use zerospan_export::Scope;
use zerospan_otlp::ScopeIdentity;

/// The maximum number of cached scopes. A program has one for each instrumented library.
const MAX_SCOPES: usize = 32;

type Scopes = Vec<(InstrumentationScope, Scope)>;

thread_local! {
    static SCOPES: Cell<Scopes> = const { Cell::new(Vec::new()) };
}

/// Calls `work` with the encoded form of `scope`. Allocates if the scope is not cached.
///
/// `work` may log, and a subscriber may end spans: the cache is moved out meanwhile, and not borrowed.
#[inline]
pub(crate) fn with_encoded<R>(scope: &InstrumentationScope, work: impl FnOnce(&Scope) -> R) -> R {
    let mut scopes = SCOPES.try_with(Cell::take).unwrap_or_default();
    let identity = ScopeIdentity::new(scope);
    let cached = scopes
        .iter()
        .position(|(cached, _)| identity.matches(cached));
    let index = cached.unwrap_or_else(|| insert(&mut scopes, scope));
    let result = work(&scopes[index].1);
    let _ = SCOPES.try_with(|cell| cell.set(scopes));
    result
}

/// Encodes and caches a scope; evicts the oldest if the cache is full. Returns the index.
#[cold]
fn insert(scopes: &mut Scopes, scope: &InstrumentationScope) -> usize {
    if scopes.len() == MAX_SCOPES {
        scopes.remove(0);
    }
    scopes.push((scope.clone(), Scope::new(scope)));
    scopes.len() - 1
}
