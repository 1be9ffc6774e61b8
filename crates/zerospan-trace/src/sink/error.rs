use std::error::Error;
use std::fmt;

/// An error of a processor.
pub type ProcessorError = Box<dyn Error + Send + Sync>;

/// A flush or shutdown of a provider that failed in part. Every exporter and processor was called nevertheless.
#[non_exhaustive]
#[derive(Debug)]
pub enum ProviderError {
    /// The provider was shut down before.
    AlreadyShutDown,
    /// An exporter did not flush. Holds the first error. A shutdown of several exporters and processors flushes too.
    Flush(zerospan_export::FlushError),
    /// An exporter lost items in the shutdown. Holds the first error.
    Shutdown(zerospan_export::ShutdownError),
    /// A processor failed. Holds the first error.
    Processor(ProcessorError),
}

impl fmt::Display for ProviderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AlreadyShutDown => {
                "the provider is shut down already: shut it down only once"
            }
            Self::Flush(_) => {
                "an exporter did not flush: see the cause, and the provider's `stats()`"
            }
            Self::Shutdown(_) => {
                "an exporter did not deliver everything: see the cause, and the provider's `stats()`"
            }
            Self::Processor(_) => "a processor failed: see the cause",
        })
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

#[cfg(test)]
mod tests {
    use super::*;
    use zerospan_export::{FlushError, ShutdownError};

    #[test]
    fn the_cause_is_the_source_and_not_repeated_in_the_message() {
        let cause = || ProcessorError::from("no disk");
        for (error, message, has_source) in [
            (
                ProviderError::AlreadyShutDown,
                "shut it down only once",
                false,
            ),
            (
                ProviderError::Flush(FlushError::ShutDown),
                "did not flush",
                true,
            ),
            (
                ProviderError::Shutdown(ShutdownError::AlreadyShutDown),
                "did not deliver everything",
                true,
            ),
            (
                ProviderError::Processor(cause()),
                "a processor failed",
                true,
            ),
        ] {
            let text = error.to_string();
            assert!(text.contains(message), "{text}");
            assert_eq!(error.source().is_some(), has_source, "{text}");
            let source = error.source().map(ToString::to_string).unwrap_or_default();
            assert!(source.is_empty() || !text.contains(&source));
        }
    }
}
