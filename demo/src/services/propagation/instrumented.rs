//! Propagation between spans of the `tracing` crate: through the global propagator and the `OpenTelemetrySpanExt` of a side.

use super::zerospan::{extract, inject};
use super::{Incoming, Outgoing, control, count_allocations};
use axum::http::HeaderMap;
use opentelemetry::global;
use std::hint::black_box;
use tracing::Span;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Propagation {
    /// Makes the span a child of the caller's, if the headers name one.
    pub(crate) accept: fn(&HeaderMap, &Span),
    /// Adds the span to the headers of a request.
    pub(crate) pass_on: fn(&Span, &mut HeaderMap),
}

/// The side without tracing.
pub(crate) const NONE: Propagation = Propagation {
    accept: |_, _| {},
    pass_on: |_, _| {},
};

/// The control side, which passes on a span that does not exist.
pub(crate) const HEADERS: Propagation = Propagation {
    accept: |headers, _| {
        black_box(extract(headers));
    },
    pass_on: |_, headers| inject(headers, &control::span()),
};

/// The same calls on both sides: only the import is another.
macro_rules! propagation {
    ($extension:path) => {{
        use $extension as Extension;
        Propagation {
            accept: |headers, span| {
                count_allocations(|| {
                    let caller = global::get_text_map_propagator(|propagator| {
                        propagator.extract(&Incoming(headers))
                    });
                    // A span that is filtered out has no parent.
                    let _ = Extension::set_parent(span, caller);
                });
            },
            pass_on: |span, headers| {
                count_allocations(|| {
                    let context = Extension::context(span);
                    global::get_text_map_propagator(|propagator| {
                        propagator.inject_context(&context, &mut Outgoing(headers));
                    });
                });
            },
        }
    }};
}

pub(crate) const OFFICIAL: Propagation = propagation!(tracing_opentelemetry::OpenTelemetrySpanExt);

pub(crate) const ZEROSPAN: Propagation = propagation!(zerospan_tracing::OpenTelemetrySpanExt);
