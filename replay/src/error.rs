use std::error::Error;
use std::fmt;
use std::io;
use std::path::PathBuf;
use zerospan_export::ConfigError;

/// The reason why a file was not replayed completely.
#[non_exhaustive]
#[derive(Debug)]
pub enum ReplayError {
    /// A file cannot be read or written.
    File {
        /// The path of the file.
        path: PathBuf,
        /// The cause.
        cause: io::Error,
    },
    /// A file has none of the formats, or has something that OTLP cannot hold.
    Malformed {
        /// The name of the file.
        name: String,
        /// The line, from 1.
        line: usize,
        /// The column, from 1; 0 at the beginning of a line.
        column: usize,
        /// The fault.
        message: String,
    },
    /// The destination cannot be used as it was given.
    Config(ConfigError),
    /// Not every span arrived.
    Lost {
        /// The service whose spans they are.
        service: String,
        /// The number of spans in the file.
        spans: u64,
        /// The number of spans delivered.
        delivered: u64,
        /// The causes of the loss.
        causes: String,
    },
    /// The sent bytes are malformed, or differ from the file.
    Differs {
        /// The span's id.
        span: String,
        /// The field that differs.
        field: &'static str,
        /// The value in the file.
        given: String,
        /// The value sent.
        sent: String,
    },
}

impl fmt::Display for ReplayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, cause } => write!(f, "{}: {cause}", path.display()),
            Self::Malformed {
                name,
                line,
                column,
                message,
            } => write!(f, "{name}:{line}:{column}: {message}"),
            Self::Config(error) => error.fmt(f),
            Self::Lost {
                service,
                spans,
                delivered,
                causes,
            } => write!(
                f,
                "service {service}: {delivered} of {spans} spans were delivered ({causes}): is there a collector at \
                 that endpoint, for that protocol?"
            ),
            Self::Differs {
                span,
                field,
                given,
                sent,
            } => write!(
                f,
                "span {span}: {field} is {given} in the file and {sent} in what was sent"
            ),
        }
    }
}

impl Error for ReplayError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::File { cause, .. } => Some(cause),
            Self::Config(error) => Some(error),
            _ => None,
        }
    }
}

impl From<ConfigError> for ReplayError {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}
