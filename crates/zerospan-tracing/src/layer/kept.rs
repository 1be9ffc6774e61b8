//! The fields of spans that log records get too.

use crate::record::kept::KeptVisitor;
use crate::state::inner::LayerInner;
use crate::state::kept_fields::has_any;
use crate::state::scratch::Scratch;
use tracing_core::field::Visit;
use tracing_core::{Event, Metadata, Subscriber};
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;
use zerospan_logs::LogRecord;
use zerospan_otlp::AttributeView;

/// Keeps the fields that `visit` visits, of the span `id`, if log records get them. A span that is not sampled keeps them too.
#[cold]
pub(super) fn keep(
    inner: &LayerInner,
    id: u64,
    metadata: &Metadata<'_>,
    visit: impl FnOnce(&mut dyn Visit),
) {
    let (Some(names), Some(logs)) = (inner.kept_fields.names(), inner.logs()) else {
        return;
    };
    if !has_any(names, metadata) {
        return;
    }
    let mut scratch = Scratch::take();
    visit(&mut KeptVisitor {
        names,
        writer: scratch.changes.attributes.span_writer(&logs.kept_limits()),
        text: &mut scratch.texts.text,
        losses: &inner.losses,
    });
    let mut kept = Some(scratch);
    if kept
        .as_ref()
        .is_some_and(|kept| !kept.changes.attributes.is_empty())
    {
        inner.table().with(id, |entry| match &mut entry.extra.kept {
            Some(held) => {
                if let Some(kept) = &kept {
                    held.changes.attributes.append(&kept.changes.attributes);
                }
            }
            place => *place = kept.take(),
        });
    }
    if let Some(kept) = kept {
        kept.put();
    }
}

/// Adds the kept fields of an event's spans to its record: the innermost span's first, and none that the record has.
#[cold]
pub(super) fn add<S>(
    inner: &LayerInner,
    record: &mut LogRecord,
    event: &Event<'_>,
    context: &Context<'_, S>,
) where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    for span in context.event_scope(event).into_iter().flatten() {
        inner.table().with(span.id().into_u64(), |entry| {
            let kept = entry.extra.kept.iter();
            for attribute in kept.flat_map(|kept| kept.changes.attributes.span_attributes()) {
                add_absent(record, &attribute);
            }
        });
    }
}

fn add_absent(record: &mut LogRecord, attribute: &AttributeView<'_>) {
    if record.attribute(attribute.key).is_none() {
        record.write_attributes(|mut writer| writer.set_view(attribute));
    }
}
