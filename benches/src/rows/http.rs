//! The spans of an HTTP server.

use opentelemetry::trace::{
    SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState,
};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};
use std::time::{Duration, SystemTime};

/// Returns attributes of the semantic conventions, as constants and numbers.
pub(crate) fn attributes() -> [KeyValue; 8] {
    [
        KeyValue::new("http.request.method", "GET"),
        KeyValue::new("url.scheme", "https"),
        KeyValue::new("http.route", "/users/{id}"),
        KeyValue::new("server.address", "shop.example"),
        KeyValue::new("http.response.status_code", 200),
        KeyValue::new("server.port", 8443),
        KeyValue::new("network.protocol.version", "1.1"),
        KeyValue::new("network.peer.encrypted", true),
    ]
}

/// Number of [`spans`]: a full batch of the official batch processor.
pub(crate) const SPANS: u64 = 512;

/// Returns finished spans of one scope, each with the [`attributes`].
pub(crate) fn spans() -> Vec<SpanData> {
    let scope = InstrumentationScope::builder("http-server")
        .with_version("1.4.0")
        .build();
    (0..SPANS)
        .map(|number| SpanData {
            span_context: context(number),
            parent_span_id: SpanId::from(0x0123_4567_89ab_cdef ^ number),
            parent_span_is_remote: true,
            span_kind: SpanKind::Server,
            name: "GET /users/{id}".into(),
            start_time: time(number * 1_000),
            end_time: time(number * 1_000 + 250_000),
            attributes: attributes().into(),
            dropped_attributes_count: 0,
            events: SpanEvents::default(),
            links: SpanLinks::default(),
            status: Status::Unset,
            instrumentation_scope: scope.clone(),
        })
        .collect()
}

pub(super) fn context(number: u64) -> SpanContext {
    SpanContext::new(
        TraceId::from(0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c ^ u128::from(number)),
        SpanId::from(0xb7ad_6b71_6920_3331 ^ number),
        TraceFlags::SAMPLED,
        false,
        TraceState::default(),
    )
}

pub(super) fn time(nanos: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_780_000_000) + Duration::from_nanos(nanos)
}
