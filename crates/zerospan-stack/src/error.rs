use crate::text::{self, Text};
use std::error::Error;
use std::fmt;
use zerospan_core::SinkError;

/// Why an inline string or set did not take what it was given; it is as it was before the call.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InlineError {
    /// There is not enough room left for the text.
    TextFull {
        /// How many bytes of text were to be added.
        needed: usize,
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

impl InlineError {
    /// Why `texts` could not be written into the `left` bytes of `capacity`: told apart after the fact, so that the
    /// common way need not keep count.
    #[cold]
    pub(crate) fn of(texts: &[&dyn Fn() -> Option<usize>], left: usize, capacity: usize) -> Self {
        let needed = texts
            .iter()
            .try_fold(0_usize, |sum, length| Some(sum.saturating_add(length()?)));
        match needed {
            Some(needed) => Self::TextFull {
                needed,
                left,
                capacity,
            },
            None => Self::Format,
        }
    }

    #[cold]
    pub(crate) fn of_text<T: Text + ?Sized>(text: &T, left: usize, capacity: usize) -> Self {
        Self::of(&[&|| text::length(text)], left, capacity)
    }
}

impl fmt::Display for InlineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TextFull {
                needed,
                left,
                capacity,
            } => write!(
                f,
                "{needed} bytes of text do not fit into the {left} that are left of {capacity}: \
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
