//! Contexts of the API that are attached while a span is entered.

use super::entry::Entry;
use super::inner::LayerInner;
use opentelemetry::ContextGuard;
use opentelemetry::trace::TraceContextExt;
use std::cell::RefCell;
use zerospan_core::{context, panics};
use zerospan_trace::layer::EntryKey;

thread_local! {
    static ATTACHED: RefCell<Vec<(EntryKey, ContextGuard)>> = {
        // Asks for the API's context first, and so is destroyed before it: a guard that is left needs it.
        let _ = context::is_alive();
        RefCell::new(Vec::new())
    };
}

/// Attaches a context with the span `id` as its span, which cannot change any more.
///
/// Does nothing while the thread ends.
pub(crate) fn enter(inner: &LayerInner, id: u64) {
    if !context::is_alive() {
        return;
    }
    let read = |entry: &mut Entry| (entry.use_context(), entry.extra.activated.clone());
    let Some((span, activated)) = inner.table().with(id, read) else {
        return;
    };
    let context = activated.unwrap_or_else(|| {
        let context = context::current().with_remote_span_context(span);
        let kept = context.clone();
        let old = inner
            .table()
            .with(id, |entry| entry.extra.activated.replace(kept));
        // Dropped outside the lock.
        drop(old);
        context
    });
    // None is attached while the thread ends, and within `Context::map_current`, where the API panics.
    let attach = || panics::catch(|| context.attach()).ok();
    let mut guard = context::is_alive().then(attach).flatten();
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
