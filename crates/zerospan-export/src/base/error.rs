use std::error::Error;
use std::fmt;
use zerospan_transport::Signal;

/// A flush did not deliver everything.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlushError {
    /// The timeout passed first.
    TimedOut {
        /// Signal of the pipeline.
        signal: Signal,
        /// Items recorded before the flush that are not delivered yet. They stay queued.
        pending: u64,
    },
    /// Nothing is pending, but not everything was delivered.
    Lost {
        /// Signal of the pipeline.
        signal: Signal,
        /// Items rejected by the collector, or dropped, while the flush waited.
        lost: u64,
    },
    /// The pipeline is shut down.
    ShutDown,
}

impl fmt::Display for FlushError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimedOut { signal, pending } => write!(
                f,
                "flush timed out with {pending} {} pending: they stay queued, so allow more time or flush again",
                signal.items()
            ),
            Self::Lost { signal, lost } => write!(
                f,
                "{lost} {} were not delivered: read the pipeline's statistics for the causes",
                signal.items()
            ),
            Self::ShutDown => f.write_str("the pipeline is shut down: flush before the shutdown"),
        }
    }
}

impl Error for FlushError {}

/// A shutdown did not deliver everything.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShutdownError {
    /// The pipeline was shut down before.
    AlreadyShutDown,
    /// The pipeline is shut down, and not everything was delivered.
    Lost {
        /// Signal of the pipeline.
        signal: Signal,
        /// Items rejected by the collector, or dropped, for example because the timeout passed.
        lost: u64,
        /// Items that were being sent, or about to be, when the timeout passed. They may still arrive.
        in_flight: u64,
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
            } => write!(
                f,
                "the pipeline is shut down with {lost} {} not delivered and {in_flight} in flight: \
                 allow more time, or read its statistics for the causes",
                signal.items()
            ),
        }
    }
}

impl Error for ShutdownError {}
