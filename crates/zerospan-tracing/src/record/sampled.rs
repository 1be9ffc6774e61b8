//! The fields of a span as a sampler of the SDK's trait reads them.

use crate::state::changes::Changes;
use opentelemetry::trace::{SpanBuilder, SpanKind};
use opentelemetry::{Array, Key, KeyValue, StringValue, Value};
use zerospan_otlp::ValueView;

/// Returns the builder of a span with the fields in `changes`.
pub(crate) fn builder(name: &'static str, changes: &Changes) -> SpanBuilder {
    let mut builder = if changes.has_name {
        SpanBuilder::from_name(changes.name.clone())
    } else {
        SpanBuilder::from_name(name)
    };
    builder.span_kind = Some(changes.kind.clone().unwrap_or(SpanKind::Internal));
    let attributes = changes.attributes.span_attributes();
    let owned = attributes.filter_map(|attribute| {
        let value = value(attribute.value?)?;
        Some(KeyValue::new(Key::from(attribute.key.to_owned()), value))
    });
    builder.attributes = Some(owned.collect());
    builder
}

/// Returns a value in the API's form, which has none for bytes.
fn value(value: ValueView<'_>) -> Option<Value> {
    Some(match value {
        ValueView::Str(text) => text.to_owned().into(),
        ValueView::Bool(flag) => flag.into(),
        ValueView::I64(number) => number.into(),
        ValueView::F64(number) => number.into(),
        ValueView::Array(texts) => {
            let text = |value: ValueView<'_>| value.as_str().map(|text| text.to_owned().into());
            let texts: Vec<StringValue> = texts.flatten().filter_map(text).collect();
            Value::Array(Array::String(texts))
        }
        _ => return None,
    })
}
