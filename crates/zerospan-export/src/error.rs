use std::error::Error;
use std::fmt;

/// A flush did not deliver everything.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlushError {
    /// The time was over first.
    TimedOut {
        /// Spans recorded before the flush that are still on their way.
        pending: u64,
    },
    /// Everything was settled, but not everything delivered: the statistics say why.
    Lost {
        /// Spans rejected by the collector, or given up, while the flush waited.
        lost: u64,
    },
    /// The pipeline is shut down.
    ShutDown,
}

impl fmt::Display for FlushError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimedOut { pending } => write!(
                f,
                "the time for the flush was over with {pending} spans still on their way: they stay so"
            ),
            Self::Lost { lost } => write!(
                f,
                "{lost} spans were not delivered: the statistics of the pipeline say why"
            ),
            Self::ShutDown => f.write_str("the pipeline is shut down: there is nothing to flush"),
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
    /// The pipeline is shut down, and not everything was delivered: the statistics say why.
    Lost {
        /// Spans rejected by the collector, given up, or dropped because the time was over.
        lost: u64,
        /// Spans that were being sent when the time was over, and may yet arrive, and those that the worker was about to
        /// send.
        in_flight: u64,
    },
}

impl fmt::Display for ShutdownError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AlreadyShutDown => {
                f.write_str("the pipeline was shut down before: shut it down once")
            }
            Self::Lost { lost, in_flight } => write!(
                f,
                "the pipeline is shut down; {lost} spans were not delivered, {in_flight} were being sent"
            ),
        }
    }
}

impl Error for ShutdownError {}
