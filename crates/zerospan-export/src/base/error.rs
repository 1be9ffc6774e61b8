use super::stats::DropCause;
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use zerospan_transport::Signal;

/// The last failure to deliver a request.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryError {
    /// The cause that its items are counted under.
    pub cause: DropCause,
    /// The failure in one line, with the address that the request was sent to.
    pub message: String,
}

impl fmt::Display for DeliveryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.cause, self.message)
    }
}

impl Error for DeliveryError {}

/// Returns a failure as the source of another error.
fn source(cause: Option<&Arc<DeliveryError>>) -> Option<&(dyn Error + 'static)> {
    cause.map(|cause| &**cause as &dyn Error)
}

/// A flush did not deliver everything. The [`source`](Error::source) is the last failure, if a request failed.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FlushError {
    /// The timeout passed first.
    TimedOut {
        /// Signal of the pipeline.
        signal: Signal,
        /// Items recorded before the flush that are not delivered yet. They stay queued.
        pending: u64,
        /// The last failure, if a request failed.
        cause: Option<Arc<DeliveryError>>,
    },
    /// Nothing is pending, but not everything was delivered.
    Lost {
        /// Signal of the pipeline.
        signal: Signal,
        /// Items rejected by the collector, or dropped, while the flush waited.
        lost: u64,
        /// The last failure, if a request failed.
        cause: Option<Arc<DeliveryError>>,
    },
    /// The pipeline is shut down.
    ShutDown,
}

impl fmt::Display for FlushError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimedOut {
                signal, pending, ..
            } => write!(
                f,
                "flush timed out with {pending} {} pending: they stay queued, so allow more time or flush again",
                signal.items()
            ),
            Self::Lost { signal, lost, .. } => write!(
                f,
                "{lost} {} were not delivered: read the pipeline's statistics for the causes",
                signal.items()
            ),
            Self::ShutDown => f.write_str("the pipeline is shut down: flush before the shutdown"),
        }
    }
}

impl Error for FlushError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::TimedOut { cause, .. } | Self::Lost { cause, .. } => source(cause.as_ref()),
            Self::ShutDown => None,
        }
    }
}

/// A shutdown did not deliver everything that was pending. What was lost before is in the statistics alone.
///
/// The [`source`](Error::source) is the last failure, if a request failed.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ShutdownError {
    /// The pipeline was shut down before.
    AlreadyShutDown,
    /// The pipeline is shut down, and not everything that was pending was delivered.
    Lost {
        /// Signal of the pipeline.
        signal: Signal,
        /// Items rejected by the collector, or dropped, for example because the timeout passed.
        lost: u64,
        /// Items that were being sent, or about to be, when the timeout passed. They may still arrive.
        in_flight: u64,
        /// The last failure, if a request failed.
        cause: Option<Arc<DeliveryError>>,
    },
}

impl fmt::Display for ShutdownError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AlreadyShutDown => {
                f.write_str("the pipeline was shut down before: shut it down once")
            }
            Self::Lost {
                signal,
                lost,
                in_flight,
                ..
            } => write!(
                f,
                "the pipeline is shut down with {lost} {} not delivered and {in_flight} in flight: \
                 allow more time, or read its statistics for the causes",
                signal.items()
            ),
        }
    }
}

impl Error for ShutdownError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Lost { cause, .. } => source(cause.as_ref()),
            Self::AlreadyShutDown => None,
        }
    }
}
