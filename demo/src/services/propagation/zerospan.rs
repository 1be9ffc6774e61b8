//! Propagation with `TraceParent`, without a `Context`.

use super::count_allocations;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::trace::SpanContext;
use std::convert::Infallible;
use zerospan_trace::{TraceParent, remote_span_context};

static TRACEPARENT: HeaderName = HeaderName::from_static(TraceParent::HEADER);
static TRACESTATE: HeaderName = HeaderName::from_static(TraceParent::STATE_HEADER);

/// The span of the caller, if the headers name one, extracted as an argument of a handler.
pub(crate) struct Caller(pub(crate) Option<SpanContext>);

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(request: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(count_allocations(|| extract(&request.headers))))
    }
}

/// Returns `None`, which starts a new trace, if the headers cannot be read.
pub(super) fn extract(headers: &HeaderMap) -> Option<SpanContext> {
    remote_span_context(headers.get_all(&TRACEPARENT), headers.get_all(&TRACESTATE)).ok()
}

/// Adds the span to the headers of a request. Without a trace state, the only allocation is HTTP's, for the header's value.
pub(crate) fn inject(headers: &mut HeaderMap, span: &SpanContext) {
    count_allocations(|| {
        let parent = TraceParent::new(span).map(|parent| parent.to_header());
        if let Some(Ok(value)) = parent.map(|parent| HeaderValue::from_bytes(&parent)) {
            headers.insert(&TRACEPARENT, value);
        }
        let state = span.trace_state().header();
        if !state.is_empty()
            && let Ok(value) = HeaderValue::try_from(state)
        {
            headers.insert(&TRACESTATE, value);
        }
    });
}
