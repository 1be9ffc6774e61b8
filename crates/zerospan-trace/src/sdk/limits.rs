use opentelemetry_sdk::trace::SpanLimits as SdkSpanLimits;
use zerospan_otlp::SpanLimits;

/// Sets the limits that the SDK has: all but the length of values.
pub(crate) fn apply(given: &SdkSpanLimits, limits: &mut SpanLimits) {
    limits.max_attributes_per_span = given.max_attributes_per_span;
    limits.max_events_per_span = given.max_events_per_span;
    limits.max_links_per_span = given.max_links_per_span;
    limits.max_attributes_per_event = given.max_attributes_per_event;
    limits.max_attributes_per_link = given.max_attributes_per_link;
}
