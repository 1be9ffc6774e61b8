use opentelemetry::trace::{SpanContext, Status};
use opentelemetry::{Context, KeyValue};
use std::time::SystemTime;
use tracing::Span;

/// The extension methods of one of the layers.
pub(crate) trait Extension {
    fn set_parent(span: &Span, context: Context) -> bool;
    fn context(span: &Span) -> Context;
    fn add_link(span: &Span, to: SpanContext, attributes: Vec<KeyValue>);
    fn set_attribute(span: &Span, key: &'static str, value: i64);
    fn set_status(span: &Span, status: Status);
    fn add_event(span: &Span, name: String, time: SystemTime, attributes: Vec<KeyValue>);
}

macro_rules! extension {
    ($(#[$doc:meta])* $name:ident, $krate:ident) => {
        $(#[$doc])*
        pub(crate) struct $name;

        impl Extension for $name {
            fn set_parent(span: &Span, context: Context) -> bool {
                $krate::OpenTelemetrySpanExt::set_parent(span, context).is_ok()
            }

            fn context(span: &Span) -> Context {
                $krate::OpenTelemetrySpanExt::context(span)
            }

            fn add_link(span: &Span, to: SpanContext, attributes: Vec<KeyValue>) {
                $krate::OpenTelemetrySpanExt::add_link_with_attributes(span, to, attributes);
            }

            fn set_attribute(span: &Span, key: &'static str, value: i64) {
                $krate::OpenTelemetrySpanExt::set_attribute(span, key, value);
            }

            fn set_status(span: &Span, status: Status) {
                $krate::OpenTelemetrySpanExt::set_status(span, status);
            }

            fn add_event(span: &Span, name: String, time: SystemTime, attributes: Vec<KeyValue>) {
                $krate::OpenTelemetrySpanExt::add_event_with_timestamp(span, name, time, attributes);
            }
        }
    };
}

extension!(
    /// This crate's.
    Ours,
    zerospan_tracing
);
extension!(
    /// The predecessor's.
    Theirs,
    tracing_opentelemetry
);
