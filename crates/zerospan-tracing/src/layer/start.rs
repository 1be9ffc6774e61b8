//! The start of a span: its parent, and what a sampler sees.

use crate::record::sampled;
use crate::record::set_constants;
use crate::record::span::SpanVisitor;
use crate::state::changes::Changes;
use crate::state::dispatch;
use crate::state::entry::Entry;
use crate::state::hidden::HiddenParent;
use crate::state::inner::{Active, LayerInner};
use crate::state::scratch::Scratch;
use opentelemetry::Context as OtelContext;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt};
use std::cell::Cell;
use std::mem;
use std::sync::atomic::Ordering;
use tracing_core::Subscriber;
use tracing_core::span::{Attributes, Id};
use tracing_subscriber::Registry;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;
use zerospan_trace::layer::{last_of_owner, retain, with_owner};
use zerospan_trace::{Span, current_span_context};

/// The parent of a new span.
enum Parent {
    /// The current span of the thread.
    Current,
    /// None: a new trace starts.
    Root,
    /// This span.
    Span(SpanContext),
    /// The span in a context that was set as the parent of a span which the layer does not see.
    Context(OtelContext),
}

/// Starts a span, as a child of the nearest ancestor that the layer sees, or of the current context.
#[inline]
pub(super) fn span<S>(
    inner: &LayerInner,
    active: &Active,
    attributes: &Attributes<'_>,
    id: &Id,
    context: &Context<'_, S>,
) -> Span
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    if is_plain(inner, active) && is_child_of_current(inner, attributes, context) {
        let name = attributes.metadata().name();
        return active.tracer.span(name).start();
    }
    span_slow(inner, active, attributes, id, context)
}

/// Returns `true` if nothing but the parent of a new span is unusual.
#[inline]
fn is_plain(inner: &LayerInner, active: &Active) -> bool {
    !active.has_custom_sampler && !inner.attachment.is_shared() && !inner.has_hidden_parents()
}

/// Returns `true` if the current span of the thread is the parent of a new span, and no span that is hidden from the layer is
/// in between.
#[inline]
fn is_child_of_current<S>(
    inner: &LayerInner,
    attributes: &Attributes<'_>,
    context: &Context<'_, S>,
) -> bool
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    if !attributes.is_contextual() {
        return false;
    }
    if last_of_owner(inner.owner()).is_some() {
        !inner.has_hidden_spans()
    } else {
        context.current_span().id().is_none()
    }
}

#[inline(never)]
fn span_slow<S>(
    inner: &LayerInner,
    active: &Active,
    attributes: &Attributes<'_>,
    id: &Id,
    context: &Context<'_, S>,
) -> Span
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let parent = parent(inner, attributes, id, context);
    if active.has_custom_sampler {
        with_fields(inner, active, attributes, &parent)
    } else {
        start(inner, active, attributes.metadata().name(), &parent)
    }
}

/// Returns the parent of a new span: the nearest ancestor that the layer sees, or the current context.
fn parent<S>(
    inner: &LayerInner,
    attributes: &Attributes<'_>,
    id: &Id,
    context: &Context<'_, S>,
) -> Parent
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    if inner.has_hidden_parents()
        && let Some(parent) = hidden(inner, attributes, id)
    {
        return Parent::Context(parent);
    }
    if attributes.is_contextual() {
        let entered = last_of_owner(inner.owner());
        if entered.is_some() && !inner.has_hidden_spans() {
            return Parent::Current;
        }
        nearest(inner, entered.map(|(id, _)| id), id, context).map_or(Parent::Current, Parent::Span)
    } else if attributes.is_root() {
        Parent::Root
    } else {
        explicit(inner, attributes, id, context).map_or(Parent::Current, Parent::Span)
    }
}

/// Starts a span.
fn start(inner: &LayerInner, active: &Active, name: &'static str, parent: &Parent) -> Span {
    let start = || {
        let builder = active.tracer.span(name);
        match parent {
            Parent::Current => builder.start(),
            Parent::Root => builder.as_root().start(),
            Parent::Span(span) => builder.with_parent(span).start(),
            Parent::Context(context) => builder.with_parent_context(context).start(),
        }
    };
    if inner.attachment.is_shared() {
        // Each of several layers has a tree of its own.
        with_owner(inner.owner(), start)
    } else {
        start()
    }
}

/// Starts a span for a sampler that may read its name, its kind and its attributes. Allocates.
#[cold]
fn with_fields(
    inner: &LayerInner,
    active: &Active,
    attributes: &Attributes<'_>,
    parent: &Parent,
) -> Span {
    let metadata = attributes.metadata();
    let Some(callsite) = inner.callsite(active, metadata) else {
        return start(inner, active, metadata.name(), parent);
    };
    let mut scratch = Scratch::take();
    visit(inner, active, attributes, &mut scratch.changes);
    let builder = || sampled::builder(metadata.name(), &scratch.changes);
    let start = || {
        let tracer = &active.tracer;
        let context = match parent {
            Parent::Current => return builder().start(tracer),
            Parent::Root => OtelContext::new(),
            Parent::Span(span) => OtelContext::new().with_remote_span_context(span.clone()),
            Parent::Context(context) => context.clone(),
        };
        builder().start_with_context(tracer, &context)
    };
    let mut span = if inner.attachment.is_shared() {
        with_owner(inner.owner(), start)
    } else {
        start()
    };
    if span.is_recorded() {
        set_constants(inner, callsite, &mut span);
        scratch.changes.apply(&mut span);
    }
    scratch.put();
    span
}

/// Keeps the fields of a span that is not recorded, if its callsite's spans get parents that may be.
#[cold]
pub(super) fn pending(
    inner: &LayerInner,
    active: &Active,
    attributes: &Attributes<'_>,
) -> Option<Box<Scratch>> {
    let callsite = inner.callsite(active, attributes.metadata())?;
    if !callsite.gets_late_parents.load(Ordering::Relaxed) {
        return None;
    }
    let mut pending = Scratch::take();
    visit(inner, active, attributes, &mut pending.changes);
    Some(pending)
}

fn visit(inner: &LayerInner, active: &Active, attributes: &Attributes<'_>, changes: &mut Changes) {
    let Some(callsite) = inner.callsite(active, attributes.metadata()) else {
        return;
    };
    let writer = changes.attributes.span_writer(&active.limits);
    let mut visitor = SpanVisitor::new(writer, callsite, inner.options.load(), &inner.losses);
    attributes.record(&mut visitor);
    if let Some(mut special) = visitor.finish() {
        // All but the attributes, of which these have none.
        mem::swap(&mut special.changes.attributes, &mut changes.attributes);
        mem::swap(&mut special.changes, changes);
        special.put();
    }
}

/// Exits the spans that were closed while this thread had entered them, so that they are nobody's parents.
#[inline]
pub(super) fn forget_leaked(inner: &LayerInner) {
    let leaks = inner.leaks();
    if leaks != 0 {
        forget_leaked_since(inner, leaks);
    }
}

#[cold]
fn forget_leaked_since(inner: &LayerInner, leaks: u64) {
    thread_local! {
        static SEEN: Cell<(u64, u64)> = const { Cell::new((0, 0)) };
    }
    let now = (inner.owner(), leaks);
    if SEEN
        .try_with(|seen| seen.replace(now) == now)
        .unwrap_or(true)
    {
        return;
    }
    retain(inner.owner(), |id| inner.table().contains(id));
}

/// Returns the context of an explicit parent, or of its nearest ancestor that the layer sees.
fn explicit<S>(
    inner: &LayerInner,
    attributes: &Attributes<'_>,
    id: &Id,
    context: &Context<'_, S>,
) -> Option<SpanContext>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    if let Some(parent) = inner.use_context(attributes.parent()?) {
        return Some(parent);
    }
    inner.set_hidden_spans();
    visible_ancestor(inner, id, context)
}

/// Returns the context of the nearest visible ancestor of a contextual span, if the registry's current span is hidden from the
/// layer, so that `entered`, the last visible one that was entered on this thread, need not be related to it.
///
/// A context that was attached, or a span that was entered natively, is nearer.
fn nearest<S>(
    inner: &LayerInner,
    entered: Option<u64>,
    id: &Id,
    context: &Context<'_, S>,
) -> Option<SpanContext>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let current = context.current_span();
    let current = current.id()?.into_u64();
    let span_id = |entry: &mut Entry| entry.span.context_ref().span_id();
    if entered == Some(current) || inner.table().contains(current) {
        return None;
    }
    inner.set_hidden_spans();
    let entered = entered.and_then(|id| inner.table().with(id, span_id));
    if current_span_context().span_id() != entered.unwrap_or(SpanId::INVALID) {
        return None;
    }
    visible_ancestor(inner, id, context)
}

#[cold]
fn visible_ancestor<S>(inner: &LayerInner, id: &Id, context: &Context<'_, S>) -> Option<SpanContext>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let span = context.span(id)?;
    span.scope()
        .skip(1)
        .find_map(|ancestor| inner.use_context(&ancestor.id()))
}

/// Returns the id of the nearest ancestor of a span that the layer sees.
#[cold]
pub(super) fn nearest_open(inner: &LayerInner, id: &Id) -> Option<u64> {
    let dispatch = dispatch::of_layer(inner)?;
    let span = dispatch.downcast_ref::<Registry>()?.span(id)?;
    let mut ids = span.scope().map(|ancestor| ancestor.id().into_u64());
    ids.find(|id| inner.table().contains(*id))
}

/// Returns the context that was set as the parent of the nearest ancestor, if the layer does not see that.
#[cold]
fn hidden(inner: &LayerInner, attributes: &Attributes<'_>, id: &Id) -> Option<OtelContext> {
    let dispatch = dispatch::of_layer(inner)?;
    let span = dispatch.downcast_ref::<Registry>()?.span(id)?;
    let mut hidden = None;
    let mut visible = SpanId::INVALID;
    for ancestor in span.scope().skip(1) {
        let span_id = |entry: &mut Entry| entry.span.context_ref().span_id();
        if let Some(found) = inner.table().with(ancestor.id().into_u64(), span_id) {
            visible = found;
            break;
        }
        if hidden.is_none() {
            hidden = ancestor.extensions().get::<HiddenParent>().cloned();
        }
    }
    let HiddenParent(parent) = hidden?;
    // A context that was attached, or a span that was entered, after the hidden one is nearer.
    let is_nearest = !attributes.is_contextual() || current_span_context().span_id() == visible;
    is_nearest.then_some(parent)
}
