//! How a request gets to a collector.

#[cfg(any(feature = "http", feature = "grpc"))]
mod answer;
#[cfg(any(feature = "http", feature = "grpc"))]
mod fields;
mod file;
#[cfg(feature = "grpc")]
pub(crate) mod grpc;
#[cfg(all(feature = "gzip", feature = "http"))]
mod gzip;
#[cfg(feature = "http")]
pub(crate) mod http;
pub(crate) mod tls;

pub use file::ToFile;

use crate::DropCause;
use std::fmt;
use std::time::{Duration, Instant};

/// One request: an `ExportTraceServiceRequest`, encoded.
#[non_exhaustive]
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The encoded message, without compression and framing.
    pub body: &'a [u8],
    /// How many spans are in it.
    pub spans: usize,
    /// When the attempt must be over.
    pub deadline: Instant,
}

impl<'a> Request<'a> {
    /// A request with `spans` spans in `body`, which must be answered by `deadline`.
    pub const fn new(body: &'a [u8], spans: usize, deadline: Instant) -> Self {
        Self {
            body,
            spans,
            deadline,
        }
    }

    /// How much time is left: zero if the deadline is past.
    pub fn time_left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }
}

/// The collector's answer to a request that it took.
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accepted {
    /// Spans that the collector says it rejected: they are not sent again.
    pub rejected_spans: u64,
    /// What the collector has to say about it, or a warning though nothing was rejected.
    pub message: String,
}

impl Accepted {
    /// Everything was taken.
    pub const ALL: Self = Self {
        rejected_spans: 0,
        message: String::new(),
    };

    /// All but `rejected_spans` spans were taken, for the reason in `message`.
    pub fn partial(rejected_spans: u64, message: impl Into<String>) -> Self {
        Self {
            rejected_spans,
            message: message.into(),
        }
    }
}

/// Whether a request that failed may be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// The collector would refuse it again.
    Never,
    /// After a backoff.
    Backoff,
    /// Not before so long a time has passed: the collector said so.
    After(Duration),
}

/// Why an attempt failed.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SendError {
    /// What the spans are counted under if this was the last attempt.
    pub cause: DropCause,
    /// Whether there may be another attempt.
    pub retry: Retry,
    /// What happened, for the log.
    pub message: String,
}

impl SendError {
    /// An attempt that failed for `cause`.
    pub fn new(cause: DropCause, retry: Retry, message: impl Into<String>) -> Self {
        Self {
            cause,
            retry,
            message: message.into(),
        }
    }

    /// The collector could not be reached: to be tried again.
    pub fn unreachable(message: impl Into<String>) -> Self {
        Self::new(DropCause::Unreachable, Retry::Backoff, message)
    }

    /// There was no answer by the deadline: to be tried again, if there is time.
    pub fn timed_out(message: impl Into<String>) -> Self {
        Self::new(DropCause::TimedOut, Retry::Backoff, message)
    }

    /// The collector refused the request for good.
    pub fn refused(message: impl Into<String>) -> Self {
        Self::new(DropCause::Refused, Retry::Never, message)
    }
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.cause, self.message)
    }
}

impl std::error::Error for SendError {}

/// A connection to a collector, or to whatever else takes requests.
///
/// It belongs to the pipeline's worker: made there, used by one thread, dropped there.
pub trait Transport: Send {
    /// Sends `request` once and waits for the answer, until the request's deadline and no longer.
    ///
    /// # Errors
    ///
    /// [`SendError`] says whether it may be tried again. A panic is caught: the request is counted as dropped, the transport
    /// is dropped, and another is made for the next request.
    fn send(&mut self, request: &Request<'_>) -> Result<Accepted, SendError>;
}

/// Makes transports: one when the worker starts, another when one has panicked or the process has forked.
///
/// Every `Fn() -> Result<T, SendError>` that gives a [`Transport`] is one.
pub trait Connect: Send + Sync {
    /// Makes a transport. Need not connect before the first request.
    ///
    /// # Errors
    ///
    /// [`SendError`], like an attempt that failed.
    fn connect(&self) -> Result<Box<dyn Transport>, SendError>;
}

impl<T: Transport + 'static, F: Fn() -> Result<T, SendError> + Send + Sync> Connect for F {
    fn connect(&self) -> Result<Box<dyn Transport>, SendError> {
        Ok(Box::new(self()?))
    }
}
