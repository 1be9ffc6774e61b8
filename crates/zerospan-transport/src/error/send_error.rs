use std::error::Error;
use std::fmt;
use std::time::Duration;

/// An attempt to send a request that failed.
///
/// [`Display`](fmt::Display) prints kind and message, underlying errors included: there is no
/// [`source`](Error::source). It does not print what the collector said.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SendError {
    /// The way in which the attempt failed: items are counted under it if this was the last attempt.
    pub kind: SendErrorKind,
    /// When there may be another attempt.
    pub retry: RetryHint,
    /// The failure in one line, for the log.
    pub message: String,
    /// The collector's own words, which may repeat what it was sent, a token included: for the log at debug level.
    pub collector_message: Option<String>,
}

/// The ways in which an attempt to send a request fails.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SendErrorKind {
    /// The collector could not be reached: no such name, no connection, no TLS, no response that could be read.
    Unreachable,
    /// The collector did not respond in time.
    TimedOut,
    /// The collector, or a proxy before it, asked to try again later.
    Unavailable,
    /// The collector refused the request, and would refuse it again.
    Refused,
}

/// When a request that failed may be sent again.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryHint {
    /// Never: the collector would refuse it again.
    Never,
    /// After a backoff.
    Backoff,
    /// Not before this time has passed, as the collector asked.
    After(Duration),
}

impl SendError {
    /// Creates an error for an attempt that failed.
    pub fn new(kind: SendErrorKind, retry: RetryHint, message: impl Into<String>) -> Self {
        Self {
            kind,
            retry,
            message: message.into(),
            collector_message: None,
        }
    }

    /// Adds the collector's own words.
    #[must_use]
    pub fn with_collector_message(mut self, message: impl Into<String>) -> Self {
        self.collector_message = Some(message.into()).filter(|message| !message.is_empty());
        self
    }

    /// The collector could not be reached: to be retried.
    pub fn unreachable(message: impl Into<String>) -> Self {
        Self::new(SendErrorKind::Unreachable, RetryHint::Backoff, message)
    }

    /// There was no response by the deadline: to be retried, if there is time.
    pub fn timed_out(message: impl Into<String>) -> Self {
        Self::new(SendErrorKind::TimedOut, RetryHint::Backoff, message)
    }

    /// The collector refused the request: not to be retried.
    pub fn refused(message: impl Into<String>) -> Self {
        Self::new(SendErrorKind::Refused, RetryHint::Never, message)
    }
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind, self.message)
    }
}

impl Error for SendError {}

impl fmt::Display for SendErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unreachable => "the collector could not be reached",
            Self::TimedOut => "the collector did not respond in time",
            Self::Unavailable => "the collector was not available",
            Self::Refused => "the collector refused the request",
        })
    }
}
