use std::error::Error;
use std::fmt;

/// Encoded bytes that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ViewError {
    /// Where in the bytes that were given the fault lies, counted from 0.
    pub offset: usize,
    /// What is wrong there.
    pub kind: ViewErrorKind,
}

impl ViewError {
    pub(crate) const fn new(offset: usize, kind: ViewErrorKind) -> Self {
        Self { offset, kind }
    }
}

/// What is wrong with encoded bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ViewErrorKind {
    /// A number, a text or a message ends beyond what encloses it.
    Truncated,
    /// A varint of more than 64 bits or 10 bytes.
    VarintTooLong,
    /// A tag with the field number 0, a number above 2²⁹ − 1, or a wire type that does not exist.
    InvalidTag,
    /// A known field with a wire type that is not its own.
    WrongWireType {
        /// The field's number in its message.
        field: u32,
    },
    /// A text that is not UTF-8.
    InvalidUtf8 {
        /// The field's number in its message.
        field: u32,
    },
    /// A group that is ended but was not begun, or begun as another.
    UnexpectedEndOfGroup,
    /// Messages nested more than 100 deep.
    TooDeep,
    /// A message where one at most may stand. A decoder would have to merge the two; no encoder writes it.
    RepeatedMessage {
        /// The field's number in its message.
        field: u32,
    },
}

impl fmt::Display for ViewError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let offset = self.offset;
        match self.kind {
            ViewErrorKind::Truncated => {
                write!(
                    f,
                    "the content at byte {offset} ends beyond what encloses it"
                )
            }
            ViewErrorKind::VarintTooLong => {
                write!(f, "the varint at byte {offset} has more than 64 bits")
            }
            ViewErrorKind::InvalidTag => write!(f, "no field begins at byte {offset}"),
            ViewErrorKind::WrongWireType { field } => {
                write!(
                    f,
                    "field {field} at byte {offset} has another field's wire type"
                )
            }
            ViewErrorKind::InvalidUtf8 { field } => {
                write!(f, "the text of field {field} at byte {offset} is not UTF-8")
            }
            ViewErrorKind::UnexpectedEndOfGroup => {
                write!(f, "the end of a group at byte {offset} belongs to none")
            }
            ViewErrorKind::TooDeep => {
                write!(
                    f,
                    "the message at byte {offset} is nested more than 100 deep"
                )
            }
            ViewErrorKind::RepeatedMessage { field } => {
                write!(
                    f,
                    "the message of field {field} at byte {offset} stands there twice"
                )
            }
        }?;
        f.write_str(
            ": the bytes are not an OTLP trace message, or were cut or changed on their way",
        )
    }
}

impl Error for ViewError {}
