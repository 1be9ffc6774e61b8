//! Contexts of the API that are attached while a span is entered.

use super::inner::LayerInner;
use opentelemetry::trace::{SpanContext, TraceContextExt};
use opentelemetry::{Context, ContextGuard};
use std::cell::RefCell;
use zerospan_trace::layer::EntryKey;

thread_local! {
    static ATTACHED: RefCell<Vec<(EntryKey, ContextGuard)>> = const { RefCell::new(Vec::new()) };
}

/// Attaches a context with the span `id` as its span.
pub(crate) fn enter(inner: &LayerInner, id: u64, span: &SpanContext) {
    let held = |entry: &mut super::entry::Entry| entry.activated.clone();
    let context = inner.table().with(id, held).flatten().unwrap_or_else(|| {
        let context =
            Context::map_current(|current| current.with_remote_span_context(span.clone()));
        let kept = context.clone();
        inner
            .table()
            .with(id, |entry| entry.activated.replace(kept))
            .flatten();
        context
    });
    let guard = context.attach();
    let mut guard = Some(guard);
    let _ = ATTACHED.try_with(|attached| {
        if let (Ok(mut attached), Some(guard)) = (attached.try_borrow_mut(), guard.take()) {
            attached.push((inner.key(id), guard));
        }
    });
}

/// Detaches the context that was attached last under `key`.
pub(crate) fn exit(key: EntryKey) {
    let guard = ATTACHED.try_with(|attached| {
        let mut attached = attached.try_borrow_mut().ok()?;
        let position = attached.iter().rposition(|(held, _)| *held == key)?;
        Some(attached.remove(position))
    });
    // Dropped without the borrow: a context may hold values of any type.
    drop(guard);
}
