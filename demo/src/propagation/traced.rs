//! By zerospan's own reading and writing, without a `Context`.

use super::counted;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::trace::SpanContext;
use std::convert::Infallible;
use zerospan_trace::{TraceParent, remote_span_context};

static TRACEPARENT: HeaderName = HeaderName::from_static(TraceParent::HEADER);
static TRACESTATE: HeaderName = HeaderName::from_static(TraceParent::STATE_HEADER);

/// The span that the caller of a service named, if it named one, as an argument of a handler.
pub(crate) struct Caller(pub(crate) Option<SpanContext>);

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(request: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(counted(|| caller(&request.headers))))
    }
}

/// Without headers that can be read a new trace begins.
fn caller(headers: &HeaderMap) -> Option<SpanContext> {
    remote_span_context(headers.get_all(&TRACEPARENT), headers.get_all(&TRACESTATE)).ok()
}

/// Sends the span along. Without a trace state a header's value is the one thing that is allocated: by HTTP.
pub(crate) fn inject(headers: &mut HeaderMap, span: &SpanContext) {
    counted(|| {
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
