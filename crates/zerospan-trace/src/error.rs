use crate::ProcessorError;
use std::error::Error;
use std::fmt;

/// A provider could not flush everything, or not shut down cleanly.
///
/// Every exporter and processor was told nevertheless.
#[non_exhaustive]
#[derive(Debug)]
pub enum ProviderError {
    /// The provider was shut down before.
    AlreadyShutDown,
    /// One exporter or more did not flush; the first says why. A shutdown of several exporters and processors flushes too.
    Flush(zerospan_export::FlushError),
    /// One exporter or more lost spans in the shutdown; the first says how many.
    Shutdown(zerospan_export::ShutdownError),
    /// One processor or more failed; the first says why.
    Processor(ProcessorError),
}

impl fmt::Display for ProviderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AlreadyShutDown => {
                f.write_str("the tracer provider was shut down before: shut it down once")
            }
            Self::Flush(error) => write!(f, "an exporter did not flush: {error}"),
            Self::Shutdown(error) => write!(f, "an exporter did not deliver everything: {error}"),
            Self::Processor(error) => write!(f, "a span processor failed: {error}"),
        }
    }
}

impl Error for ProviderError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::AlreadyShutDown => None,
            Self::Flush(error) => Some(error),
            Self::Shutdown(error) => Some(error),
            Self::Processor(error) => Some(error.as_ref()),
        }
    }
}
