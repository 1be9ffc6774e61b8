use std::error::Error;
use std::fmt;

/// Encoded bytes that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DecodeError {
    /// The position of the fault in the bytes that were passed to the reader, counted from 0.
    pub offset: usize,
    /// The kind of the fault.
    pub kind: DecodeErrorKind,
}

impl DecodeError {
    pub(super) const fn new(offset: usize, kind: DecodeErrorKind) -> Self {
        Self { offset, kind }
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { offset, kind } = self;
        write!(
            f,
            "invalid OTLP message at byte {offset}: {kind}; check that the bytes are OTLP protobuf, complete and unchanged"
        )
    }
}

impl Error for DecodeError {}

/// The ways in which encoded bytes cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeErrorKind {
    /// A number, a text or a message ends after the message that contains it.
    Truncated,
    /// A varint has more than 64 bits or 10 bytes.
    VarintTooLong,
    /// A tag has the field number 0, a number above 2²⁹ − 1, or a wire type that does not exist.
    InvalidTag,
    /// A known field has another wire type than its own.
    WrongWireType {
        /// The field's number in its message.
        field: u32,
    },
    /// A text is not UTF-8.
    InvalidUtf8 {
        /// The field's number in its message.
        field: u32,
    },
    /// A group ends that was not started.
    UnexpectedEndOfGroup,
    /// Messages are nested more than 100 deep.
    TooDeep,
    /// A message occurs twice in a field that holds at most one. A decoder would have to merge the two; no encoder writes this.
    RepeatedMessage {
        /// The field's number in its message.
        field: u32,
    },
}

impl fmt::Display for DecodeErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated => f.write_str("the content ends after its message"),
            Self::VarintTooLong => f.write_str("a varint has more than 64 bits"),
            Self::InvalidTag => f.write_str("the tag is invalid"),
            Self::WrongWireType { field } => write!(f, "field {field} has a wrong wire type"),
            Self::InvalidUtf8 { field } => write!(f, "the text of field {field} is not UTF-8"),
            Self::UnexpectedEndOfGroup => f.write_str("a group ends that was not started"),
            Self::TooDeep => f.write_str("messages are nested more than 100 deep"),
            Self::RepeatedMessage { field } => {
                write!(f, "field {field} holds two messages, and may hold one")
            }
        }
    }
}
