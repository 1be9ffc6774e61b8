use std::error::Error;
use std::fmt;

/// The reason why a parent was not set.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetParentError {
    /// The span's subscriber has no layer of this crate with a tracer.
    LayerNotFound,
    /// The span's ids were used already: by a child, a link, a reader of its context, or another thread that has entered it.
    AlreadyStarted,
    /// The span is disabled.
    SpanDisabled,
}

impl fmt::Display for SetParentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LayerNotFound => {
                "no layer of zerospan-tracing has a tracer: add one to the subscriber"
            }
            Self::AlreadyStarted => {
                "the span's ids were used already: set the parent before it has children, links, other threads or readers"
            }
            Self::SpanDisabled => "the span is disabled",
        })
    }
}

impl Error for SetParentError {}
