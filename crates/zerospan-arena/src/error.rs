use std::error::Error;
use std::fmt;
use zerospan_core::{SinkError, UnsupportedValue};

/// An arena did not take what was asked of it: its limit is reached, or the system has no memory left.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitError {
    /// The bytes that were asked for; `usize::MAX` also where their number is beyond it.
    pub requested: usize,
    /// The bytes of heap memory that the arena already held.
    pub held: usize,
    /// The most that the arena may hold; `None` where the system's allocator set the limit.
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

    /// Panics with this error: what the infallible twin of a `try_` call does.
    #[cold]
    #[inline(never)]
    #[track_caller]
    pub(crate) fn panic(self) -> ! {
        panic!("{self}, or call the `try_` twin")
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
                "the arena cannot take {requested} more bytes: it holds {held} of at most {limit}; \
                 raise its limit, reset it more often, or store less"
            ),
            None => write!(
                f,
                "the arena cannot take {requested} more bytes: it holds {held}, and the system's allocator has no more; \
                 ask for less, or reset it more often"
            ),
        }
    }
}

impl Error for LimitError {}

/// Why text was not formatted into an arena.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormatError {
    /// The arena did not take the text.
    Limit(LimitError),
    /// A `Display` or `Debug` implementation returned an error of its own.
    Display,
}

impl fmt::Display for FormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Limit(error) => error.fmt(f),
            Self::Display => f.write_str(
                "a Display or Debug implementation returned an error while it was formatted into the arena: \
                 mend it, or format a value that cannot fail",
            ),
        }
    }
}

impl Error for FormatError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Limit(error) => Some(error),
            Self::Display => None,
        }
    }
}

impl From<LimitError> for FormatError {
    fn from(error: LimitError) -> Self {
        Self::Limit(error)
    }
}

/// Why an attribute was not taken into an arena's set.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PushError {
    /// The arena did not take its key, its value, or the longer list.
    Limit(LimitError),
    /// The value is [`AttributeValue::Unsupported`](zerospan_core::AttributeValue::Unsupported).
    Unsupported,
}

impl PushError {
    #[cold]
    #[inline(never)]
    #[track_caller]
    pub(crate) fn panic(self) -> ! {
        panic!("{self}, or call the `try_` twin")
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

impl Error for PushError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Limit(error) => Some(error),
            Self::Unsupported => None,
        }
    }
}

impl From<LimitError> for PushError {
    fn from(error: LimitError) -> Self {
        Self::Limit(error)
    }
}
