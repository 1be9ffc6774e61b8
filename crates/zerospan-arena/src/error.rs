use std::error::Error;
use std::fmt;
use zerospan_core::{SinkError, UnsupportedValue};

/// An arena rejected an allocation: it reached its limit, or the system has no more memory.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitError {
    /// The requested bytes, saturated at `usize::MAX`.
    pub requested: usize,
    /// The bytes of heap memory that the arena held.
    pub held: usize,
    /// The arena's limit in bytes; `None` if the system's allocator failed.
    pub limit: Option<usize>,
}

impl LimitError {
    pub(crate) const fn new(requested: usize, held: usize, limit: Option<usize>) -> Self {
        Self {
            requested,
            held,
            limit,
        }
    }

    /// Panics with this error, for the infallible twin of a `try_` method.
    #[cold]
    #[inline(never)]
    #[track_caller]
    pub(crate) fn panic(self) -> ! {
        panic!("{self}, or call the `try_` method")
    }
}

impl fmt::Display for LimitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            requested, held, ..
        } = self;
        match self.limit {
            Some(limit) => write!(
                f,
                "the arena cannot allocate {requested} more bytes: it holds {held} of at most {limit}; \
                 raise its limit, reset it more often, or store less"
            ),
            None => write!(
                f,
                "the arena cannot allocate {requested} more bytes: it holds {held}, and the system has no more memory; \
                 store less, or reset it more often"
            ),
        }
    }
}

impl Error for LimitError {}

/// The reason that text was not formatted into an arena.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormatError {
    /// The arena rejected the text.
    Limit(LimitError),
    /// A `Display` or `Debug` implementation returned an error that its formatter did not.
    Display,
}

impl fmt::Display for FormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Limit(error) => error.fmt(f),
            Self::Display => f.write_str(
                "a Display or Debug implementation returned an error: it must return only errors of its formatter",
            ),
        }
    }
}

impl Error for FormatError {}

impl From<LimitError> for FormatError {
    fn from(error: LimitError) -> Self {
        Self::Limit(error)
    }
}

/// The reason that an arena's set rejected an attribute.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PushError {
    /// The arena rejected the key, the value, or the longer list.
    Limit(LimitError),
    /// The value is [`AttributeValue::Unsupported`](zerospan_core::AttributeValue::Unsupported).
    Unsupported,
}

impl PushError {
    #[cold]
    #[inline(never)]
    #[track_caller]
    pub(crate) fn panic(self) -> ! {
        panic!("{self}, or call the `try_` method")
    }
}

impl From<PushError> for SinkError {
    fn from(error: PushError) -> Self {
        match error {
            PushError::Limit(LimitError { held, limit, .. }) => Self::OutOfSpace {
                capacity: limit.unwrap_or(held),
            },
            PushError::Unsupported => Self::Unsupported,
        }
    }
}

impl fmt::Display for PushError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Limit(error) => error.fmt(f),
            Self::Unsupported => UnsupportedValue.fmt(f),
        }
    }
}

impl Error for PushError {}

impl From<LimitError> for PushError {
    fn from(error: LimitError) -> Self {
        Self::Limit(error)
    }
}
