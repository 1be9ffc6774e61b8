//! Propagation with the propagator of the official SDK.

use super::{Incoming, Outgoing, count_allocations};
use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use opentelemetry::Context;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use std::convert::Infallible;
use std::sync::LazyLock;

static PROPAGATOR: LazyLock<TraceContextPropagator> = LazyLock::new(TraceContextPropagator::new);

/// The context of the caller, extracted as an argument of a handler.
pub(crate) struct Caller(pub(crate) Context);

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(request: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let headers = Incoming(&request.headers);
        Ok(Self(count_allocations(|| {
            PROPAGATOR.extract_with_context(&Context::new(), &headers)
        })))
    }
}

/// Adds the context to the headers of a request.
pub(crate) fn inject(headers: &mut HeaderMap, context: &Context) {
    count_allocations(|| PROPAGATOR.inject_context(context, &mut Outgoing(headers)));
}
