use crate::body::Body;
use crate::signal::Signal;
use std::time::{Duration, Instant};

/// One request: an encoded `ExportTraceServiceRequest` or `ExportLogsServiceRequest`.
#[non_exhaustive]
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The signal that the items belong to.
    pub signal: Signal,
    /// The encoded message, without compression and framing.
    pub body: Body<'a>,
    /// The number of spans or log records in the body.
    pub items: usize,
    /// The time by which the attempt must end.
    pub deadline: Instant,
}

impl<'a> Request<'a> {
    /// Creates a request with `items` items of `signal` in `body`, to be answered by `deadline`.
    pub fn new(signal: Signal, body: impl Into<Body<'a>>, items: usize, deadline: Instant) -> Self {
        Self {
            signal,
            body: body.into(),
            items,
            deadline,
        }
    }

    /// Returns the time until the deadline: zero if it has passed.
    pub fn time_left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }
}

/// The value of the header `User-Agent`.
#[cfg(any(feature = "http", feature = "grpc"))]
pub(crate) const USER_AGENT: &str =
    concat!("OTel-OTLP-Exporter-zerospan/", env!("CARGO_PKG_VERSION"));
