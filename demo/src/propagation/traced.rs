//! By [`TraceParent`], without a `Context`.

use super::counted;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::trace::{SpanContext, TraceState};
use std::convert::Infallible;
use zerospan_trace::TraceParent;

static TRACEPARENT: HeaderName = HeaderName::from_static(TraceParent::HEADER);
static TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// The span that the caller of a service named, if it named one, as an argument of a handler.
pub(crate) struct Caller(pub(crate) Option<SpanContext>);

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(request: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(counted(|| caller(&request.headers))))
    }
}

/// Without a header that can be read a new trace begins.
fn caller(headers: &HeaderMap) -> Option<SpanContext> {
    let header = headers.get(&TRACEPARENT)?;
    let parent = TraceParent::try_from(header.as_bytes()).ok()?;
    Some(match headers.get(&TRACESTATE).map(HeaderValue::to_str) {
        Some(Ok(state)) => parent.with_trace_state(state),
        _ => parent.into(),
    })
}

/// Sends the span along. A header's value is the one thing that is allocated: by HTTP.
pub(crate) fn inject(headers: &mut HeaderMap, span: &SpanContext) {
    counted(|| {
        let parent = TraceParent::new(span).map(|parent| parent.to_header());
        if let Some(Ok(value)) = parent.map(|parent| HeaderValue::from_bytes(&parent)) {
            headers.insert(&TRACEPARENT, value);
        }
        let state = span.trace_state();
        if *state != TraceState::NONE
            && let Ok(value) = HeaderValue::try_from(state.header())
        {
            headers.insert(&TRACESTATE, value);
        }
    });
}
