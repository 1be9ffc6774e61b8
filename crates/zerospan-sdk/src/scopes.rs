//! The scopes that this thread has met of late, encoded.

use opentelemetry::InstrumentationScope;
use std::cell::RefCell;
use zerospan_export::Scope;

/// How many scopes a thread remembers. A program has one for each instrumented library.
const REMEMBERED: usize = 32;

thread_local! {
    static SCOPES: RefCell<Vec<(InstrumentationScope, Scope)>> = const { RefCell::new(Vec::new()) };
}

/// Calls `with` with the encoded form of `scope`. Allocates when the thread has not met the scope of late.
#[inline]
pub(crate) fn encoded<R>(scope: &InstrumentationScope, with: impl FnOnce(&Scope) -> R) -> R {
    let mut with = Some(with);
    let known = SCOPES.try_with(|scopes| {
        let scopes = scopes.try_borrow().ok()?;
        let (_, encoded) = scopes.iter().find(|(known, _)| is_same(known, scope))?;
        with.take().map(|with| with(encoded))
    });
    match (known, with) {
        (Ok(Some(outcome)), _) => outcome,
        (_, Some(with)) => with(&remember(scope)),
        // `with` is taken only to give an outcome.
        (_, None) => unreachable!("the closure was called and gave nothing"),
    }
}

/// Equality, with the name and the version compared first: they tell scopes apart.
#[inline]
fn is_same(one: &InstrumentationScope, other: &InstrumentationScope) -> bool {
    one.name() == other.name()
        && one.version() == other.version()
        && one.schema_url() == other.schema_url()
        && one.attributes().eq(other.attributes())
}

#[cold]
fn remember(scope: &InstrumentationScope) -> Scope {
    let encoded = Scope::new(scope);
    let _ = SCOPES.try_with(|scopes| {
        if let Ok(mut scopes) = scopes.try_borrow_mut() {
            if scopes.len() == REMEMBERED {
                // The eldest goes: whoever makes scopes without end pays for encoding them.
                scopes.remove(0);
            }
            scopes.push((scope.clone(), encoded.clone()));
        }
    });
    encoded
}
