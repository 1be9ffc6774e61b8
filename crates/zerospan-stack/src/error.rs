use std::error::Error;
use std::fmt;
use zerospan_core::SinkError;

/// Why an inline string or set did not take what it was given; it is as it was before the call.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InlineError {
    /// There is not enough room left for the text.
    TextFull {
        /// How many bytes of text were left.
        left: usize,
        /// How many bytes of text there are room for in all.
        capacity: usize,
    },
    /// The set holds as many attributes as it can.
    Full {
        /// How many attributes the set takes.
        capacity: usize,
    },
    /// A `Display` implementation among the pieces of the text returned an error.
    Format,
    /// The value is [`AttributeValue::Unsupported`](zerospan_core::AttributeValue::Unsupported).
    Unsupported,
}

impl fmt::Display for InlineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TextFull { left, capacity } => write!(
                f,
                "the text does not fit into the {left} bytes that are left of {capacity}: \
                 choose a larger capacity, or truncate"
            ),
            Self::Full { capacity } => SinkError::Full {
                capacity: *capacity,
            }
            .fmt(f),
            Self::Unsupported => SinkError::Unsupported.fmt(f),
            Self::Format => f.write_str(
                "a Display implementation returned an error: it must not, unless its formatter did",
            ),
        }
    }
}

impl Error for InlineError {}
