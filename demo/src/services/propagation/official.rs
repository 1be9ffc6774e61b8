//! Propagation with the propagator of the official SDK.

use super::count_allocations;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::Context;
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};
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

struct Incoming<'a>(&'a HeaderMap);

impl Extractor for Incoming<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(HeaderName::as_str).collect()
    }
}

struct Outgoing<'a>(&'a mut HeaderMap);

impl Injector for Outgoing<'_> {
    fn set(&mut self, key: &str, value: String) {
        // A name or a value that HTTP does not allow is left out: the next service then starts a new trace.
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(key), HeaderValue::try_from(value)) {
            self.0.insert(name, value);
        }
    }
}
