//! Parents that are set late, and the contexts that follow from them.

use super::SetParentError;
use crate::record::set_constants;
use crate::state::dispatch;
use crate::state::entry::Entry;
use crate::state::hidden::HiddenParent;
use crate::state::inner::LayerInner;
use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, TraceContextExt};
use std::sync::atomic::Ordering;
use tracing_core::Dispatch;
use tracing_core::span::Id;
use tracing_subscriber::Registry;
use tracing_subscriber::registry::LookupSpan;
use zerospan_trace::layer::{count_unused, replace_entries};

/// Makes a span a child of the span in `context`.
pub(super) fn set(
    inner: &LayerInner,
    id: &Id,
    dispatch: &Dispatch,
    context: &Context,
) -> Result<(), SetParentError> {
    let Some(active) = inner.active() else {
        return Err(SetParentError::LayerNotFound);
    };
    if !context.span().span_context().is_valid() {
        return Ok(());
    }
    let key = inner.key(id.into_u64());
    let is_free = |entry: &Entry| {
        let here = count_unused(key).filter(|_| !entry.is_used);
        here.is_some_and(|here| entry.timing.entered as usize <= here)
    };
    let state = inner.table().with(id.into_u64(), |entry| {
        is_free(entry).then(|| (entry.metadata, entry.span.is_recorded()))
    });
    let (metadata, is_recorded) = match state {
        None => return hide(inner, id, dispatch, context),
        Some(None) => return Err(SetParentError::AlreadyStarted),
        Some(Some(state)) => state,
    };
    let Some(metadata) = metadata else {
        return Err(SetParentError::LayerNotFound);
    };
    // A sampler is foreign code: the span with the new identity starts outside the lock.
    let builder = active.tracer.span(metadata.name());
    let mut fresh = builder.with_parent_context(context).start();
    if !fresh.context_ref().is_valid() {
        // Telemetry is suppressed, or the provider is shut down.
        return Ok(());
    }
    if !is_recorded && let Some(callsite) = inner.callsite(active, metadata) {
        inner.set_late_parents();
        callsite.gets_late_parents.store(true, Ordering::Relaxed);
        if fresh.is_recorded() {
            set_constants(inner, callsite, &mut fresh);
        }
    }
    let (mut fresh, mut parent) = (Some(fresh), Some(context.clone()));
    // Nothing is dropped under the lock: a context may hold values of any type.
    let outcome = inner.table().with(id.into_u64(), |entry| {
        let mut fresh = fresh.take()?;
        if !is_free(entry) || !replace_entries(key, fresh.context_ref(), fresh.is_recorded()) {
            return Some((fresh, None, None, false));
        }
        let pending = entry.extra.pending.take();
        if !entry.span.is_recorded() {
            if let Some(pending) = &pending {
                pending.changes.apply(&mut fresh);
            }
            entry.timing.changed = fresh.start_moment().steady_nanos();
        }
        let left_over = entry.span.take_identity_of(fresh);
        let old = std::mem::replace(&mut entry.extra.parent, parent.take());
        Some((left_over, old, pending, true))
    });
    // Left over if the span was closed meanwhile.
    if let Some(fresh) = fresh {
        fresh.discard();
    }
    let Some((left_over, _, pending, is_set)) = outcome.flatten() else {
        return Ok(());
    };
    left_over.discard();
    if let Some(pending) = pending {
        pending.put();
    }
    if is_set {
        Ok(())
    } else {
        Err(SetParentError::AlreadyStarted)
    }
}

/// Sets the parent of a span that the layer does not see.
fn hide(
    inner: &LayerInner,
    id: &Id,
    dispatch: &Dispatch,
    context: &Context,
) -> Result<(), SetParentError> {
    let registry = dispatch.downcast_ref::<Registry>();
    let Some(span) = registry.and_then(|registry| registry.span(id)) else {
        return Err(SetParentError::LayerNotFound);
    };
    let old = span.extensions_mut().replace(HiddenParent(context.clone()));
    drop(old);
    inner.set_hidden_parents();
    Ok(())
}

/// Returns a context with a span as its span, or with its nearest ancestor that a layer records.
pub(super) fn to_context(id: &Id, dispatch: &Dispatch) -> Option<Context> {
    let (span, base) = resolve(id, dispatch)?;
    Some(match base {
        Some(base) => base.with_remote_span_context(span),
        None => zerospan_core::context::current().with_remote_span_context(span),
    })
}

/// Returns the context of a span, or of its nearest ancestor that a layer records.
pub(super) fn span_context(id: &Id, dispatch: &Dispatch) -> Option<SpanContext> {
    let known = dispatch::find(dispatch, id, |inner| inner.use_context(id));
    known.or_else(|| resolve(id, dispatch).map(|(span, _)| span))
}

/// Returns the context of a span or of its nearest known ancestor, and the context that was set as the parent of the first of
/// them that has one.
fn resolve(id: &Id, dispatch: &Dispatch) -> Option<(SpanContext, Option<Context>)> {
    dispatch::find(dispatch, id, |inner| {
        let known = |id: &Id| {
            let read = |entry: &mut Entry| (entry.use_context(), entry.extra.parent.clone());
            inner.table().with(id.into_u64(), read)
        };
        let registry = dispatch.downcast_ref::<Registry>();
        let Some(span) = registry.and_then(|registry| registry.span(id)) else {
            return known(id);
        };
        let mut nearest = None;
        for ancestor in span.scope() {
            let hidden = ancestor.extensions().get().cloned();
            let (span, base) = match (known(&ancestor.id()), hidden) {
                (Some(known), _) => known,
                (None, Some(HiddenParent(parent))) => {
                    (parent.span().span_context().clone(), Some(parent))
                }
                (None, None) => continue,
            };
            let nearest = nearest.get_or_insert(span);
            if base.is_some() {
                return Some((nearest.clone(), base));
            }
        }
        Some((nearest?, None))
    })
}
