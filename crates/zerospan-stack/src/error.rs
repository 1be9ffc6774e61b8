use std::error::Error;
use std::fmt;
use zerospan_core::SinkError;

/// The reason that an inline string or set rejected its input. The string or set is unchanged.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InlineError {
    /// The text exceeds the remaining capacity.
    TextFull {
        /// The remaining capacity for text, in bytes.
        remaining: usize,
        /// The whole capacity for text, in bytes.
        capacity: usize,
    },
    /// The set holds its maximum number of attributes.
    Full {
        /// The set's capacity, in attributes.
        capacity: usize,
    },
    /// A `Display` implementation in the text returned an error.
    Format,
    /// The value is [`AttributeValue::Unsupported`](zerospan_core::AttributeValue::Unsupported).
    Unsupported,
}

impl fmt::Display for InlineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TextFull {
                remaining,
                capacity,
            } => write!(
                f,
                "the text exceeds the remaining {remaining} of {capacity} bytes: \
                 choose a larger capacity, or truncate it"
            ),
            Self::Full { capacity } => SinkError::Full {
                capacity: *capacity,
            }
            .fmt(f),
            Self::Unsupported => SinkError::Unsupported.fmt(f),
            Self::Format => f.write_str(
                "a Display implementation returned an error: it must return only errors of its formatter",
            ),
        }
    }
}

impl Error for InlineError {}
