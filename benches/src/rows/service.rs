//! A real service under a steady load, and what tracing adds to its requests.

use crate::comparison::{Budget, Promise};

/// The rows, which the demo measures.
pub const ROWS: &[Promise] = &[
    Promise {
        id: "service.cpu",
        peer: "a span in a service: what the official SDK adds to its requests, all threads",
        ours: "what native calls and our exporter add",
        budget: Budget::AtLeast(5.0),
        allocations: None,
    },
    Promise {
        id: "service.spans",
        peer: "the same span without the headers of propagation, which both sides send",
        ours: "ours, likewise",
        budget: Budget::AtLeast(5.0),
        allocations: None,
    },
    Promise {
        id: "service.request",
        peer: "a request of that service without tracing",
        ours: "the same request with its 8 spans",
        budget: Budget::AtMost(1.12),
        allocations: None,
    },
    Promise {
        id: "service.allocs",
        peer: "the same spans, without what the headers of propagation allocate",
        ours: "ours, likewise: errors of one request in 16, and the exporter's HTTP client",
        budget: Budget::Allocations,
        allocations: Some(0.2),
    },
    Promise {
        id: "service.tracing",
        peer: "the same service with `tracing`, and tracing-opentelemetry",
        ours: "the same with our layer",
        budget: Budget::AtLeast(5.0),
        allocations: None,
    },
];
