use super::trace_state::trim;
use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};
use std::error::Error;
use std::fmt;
use std::str::FromStr;

/// The header `traceparent` of W3C Trace Context, which names a parent span to another process.
///
/// Reading and writing allocate nothing. [`remote_span_context`](crate::remote_span_context) reads it from a request together
/// with the trace state. Follows [the recommendation](https://www.w3.org/TR/trace-context-2/): keeps the flags that are defined,
/// and reads the known part of future versions.
///
/// # Examples
///
/// ```
/// use opentelemetry::trace::{Span as _, TracerProvider as _};
/// use zerospan_trace::{TraceParent, TracerProvider};
///
/// let tracer = TracerProvider::builder().build().tracer("http-client");
/// let span = tracer.span("GET catalog").start();
///
/// let mut headers = Vec::new();
/// if let Some(parent) = TraceParent::new(span.span_context()) {
///     headers.push((TraceParent::HEADER, parent.to_header()));
/// }
/// let state = span.span_context().trace_state().header();
/// assert!(state.is_empty(), "or it is to be sent as `TraceParent::STATE_HEADER`");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TraceParent {
    trace_id: TraceId,
    span_id: SpanId,
    flags: TraceFlags,
}

/// The length of a header of version 00, in bytes.
const LENGTH: usize = 55;
/// The positions of the dashes, each before the next field.
const DASHES: [usize; 3] = [2, 35, 52];
/// The flags of version 00: sampled, and since Level 2 random trace id.
const KNOWN_FLAGS: TraceFlags = TraceFlags::new(0b11);

impl TraceParent {
    /// The name of the header.
    pub const HEADER: &'static str = "traceparent";
    /// The name of the header with the trace state.
    pub const STATE_HEADER: &'static str = "tracestate";

    /// Creates the header for the span of `context`. Returns `None` if one of its ids is invalid. Does not allocate.
    pub fn new(context: &SpanContext) -> Option<Self> {
        context.is_valid().then(|| Self {
            trace_id: context.trace_id(),
            span_id: context.span_id(),
            flags: context.trace_flags() & KNOWN_FLAGS,
        })
    }

    /// Returns the trace's id, which is valid.
    pub fn trace_id(&self) -> TraceId {
        self.trace_id
    }

    /// Returns the span's id, which is valid.
    pub fn span_id(&self) -> SpanId {
        self.span_id
    }

    /// Returns the flags that are defined.
    pub fn trace_flags(&self) -> TraceFlags {
        self.flags
    }

    /// Returns the header's value, which is ASCII text. Does not allocate.
    pub fn to_header(&self) -> [u8; LENGTH] {
        let mut header = [b'0'; LENGTH];
        for dash in DASHES {
            header[dash] = b'-';
        }
        write_hex(&self.trace_id.to_bytes(), &mut header[DASHES[0] + 1..]);
        write_hex(&self.span_id.to_bytes(), &mut header[DASHES[1] + 1..]);
        write_hex(&[self.flags.to_u8()], &mut header[DASHES[2] + 1..]);
        header
    }

    /// Returns the remote span's context.
    pub(super) fn with_state(self, state: TraceState) -> SpanContext {
        SpanContext::new(self.trace_id, self.span_id, self.flags, true, state)
    }
}

/// Converts to the remote span's context, without a trace state. The recommendation asks to pass the state on, as
/// [`remote_span_context`](crate::remote_span_context) does. Does not allocate.
impl From<TraceParent> for SpanContext {
    fn from(parent: TraceParent) -> Self {
        parent.with_state(TraceState::NONE)
    }
}

/// Reads the header's value. Ignores spaces and tabs around it. Does not allocate.
impl FromStr for TraceParent {
    type Err = TraceParentError;

    fn from_str(header: &str) -> Result<Self, TraceParentError> {
        header.as_bytes().try_into()
    }
}

/// Reads the header's value from bytes, as HTTP libraries hold it. Ignores spaces and tabs around it. Does not allocate.
impl TryFrom<&[u8]> for TraceParent {
    type Error = TraceParentError;

    fn try_from(header: &[u8]) -> Result<Self, TraceParentError> {
        let all = trim(header);
        let wrong_length = TraceParentError::Length { bytes: all.len() };
        let (known, rest) = all.split_first_chunk::<LENGTH>().ok_or(wrong_length)?;
        for at in DASHES {
            if known[at] != b'-' {
                let found = known[at];
                return Err(TraceParentError::Byte { at, found });
            }
        }
        let [version] = read_hex(known, 0)?;
        let known_flags = match (version, rest.first()) {
            (0xff, _) => return Err(TraceParentError::Version),
            (0, None) => KNOWN_FLAGS,
            (0, Some(_)) => return Err(wrong_length),
            // A future version may have more fields.
            (_, None | Some(b'-')) => TraceFlags::SAMPLED,
            (_, Some(&found)) => return Err(TraceParentError::Byte { at: LENGTH, found }),
        };
        let trace_id = TraceId::from_bytes(read_hex(known, DASHES[0] + 1)?);
        let span_id = SpanId::from_bytes(read_hex(known, DASHES[1] + 1)?);
        let [flags] = read_hex(known, DASHES[2] + 1)?;
        if trace_id == TraceId::INVALID {
            return Err(TraceParentError::ZeroTraceId);
        }
        if span_id == SpanId::INVALID {
            return Err(TraceParentError::ZeroSpanId);
        }
        Ok(Self {
            trace_id,
            span_id,
            flags: TraceFlags::new(flags) & known_flags,
        })
    }
}

/// Writes the header's value.
impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(std::str::from_utf8(&self.to_header()).unwrap_or_default())
    }
}

/// Stands for a byte that is no digit, with bits that no digit has.
const NO_DIGIT: u8 = 0xff;

/// The values of hexadecimal digits. The recommendation forbids capitals.
const DIGIT_VALUES: [u8; 256] = {
    let mut values = [NO_DIGIT; 256];
    let mut value = 0;
    while value < 16 {
        values[DIGITS[value as usize] as usize] = value;
        value += 1;
    }
    values
};

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// The two digits of each byte.
const BYTE_DIGITS: [[u8; 2]; 256] = {
    let mut digits = [[0; 2]; 256];
    let mut byte = 0;
    while byte < 256 {
        digits[byte] = [DIGITS[byte >> 4], DIGITS[byte & 15]];
        byte += 1;
    }
    digits
};

/// Reads `N` bytes of two lower-case hexadecimal digits each, from position `from` on.
#[inline]
fn read_hex<const N: usize>(text: &[u8; LENGTH], from: usize) -> Result<[u8; N], TraceParentError> {
    let digits = &text[from..from + 2 * N];
    let mut bytes = [0; N];
    let mut bits = 0;
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let [high, low] = [pair[0], pair[1]].map(|digit| DIGIT_VALUES[usize::from(digit)]);
        bits |= high | low;
        *byte = high << 4 | low;
    }
    match bits {
        0..16 => Ok(bytes),
        _ => Err(no_digit(digits, from)),
    }
}

/// Returns the error of the first byte of `digits`, which begin at position `from`, that is no digit.
#[cold]
fn no_digit(digits: &[u8], from: usize) -> TraceParentError {
    let is_none = |byte: &u8| DIGIT_VALUES[usize::from(*byte)] == NO_DIGIT;
    let index = digits.iter().position(is_none).unwrap_or_default();
    TraceParentError::Byte {
        at: from + index,
        found: digits.get(index).copied().unwrap_or_default(),
    }
}

/// Writes two digits for each of `bytes` to the start of `text`.
#[inline]
fn write_hex(bytes: &[u8], text: &mut [u8]) {
    for (byte, place) in bytes.iter().zip(text.chunks_exact_mut(2)) {
        place.copy_from_slice(&BYTE_DIGITS[usize::from(*byte)]);
    }
}

/// A header `traceparent` that is missing or invalid. The recommendation asks the receiver to start a new trace.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TraceParentError {
    /// The header is missing.
    Missing,
    /// There are several headers.
    Repeated,
    /// The header is shorter than every version, or longer than version 00.
    Length {
        /// The length without white space around it.
        bytes: usize,
    },
    /// A byte is not allowed at its position.
    Byte {
        /// The position from 0, without white space before the header.
        at: usize,
        /// The byte.
        found: u8,
    },
    /// The version is `ff`, which is forbidden.
    Version,
    /// The trace id is zero.
    ZeroTraceId,
    /// The span id is zero.
    ZeroSpanId,
}

impl fmt::Display for TraceParentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => {
                return f.write_str("the header `traceparent` is missing: start a new trace");
            }
            Self::Repeated => f.write_str("the header `traceparent` was sent more than once")?,
            Self::Length { bytes } => {
                write!(
                    f,
                    "the header `traceparent` has {bytes} bytes instead of {LENGTH}"
                )?;
            }
            Self::Byte { at, found } => {
                let wanted = match *at {
                    LENGTH => "a dash or the end",
                    at if DASHES.contains(&at) => "a dash",
                    _ => "a digit 0 to 9 or a to f",
                };
                let found = found.escape_ascii();
                write!(
                    f,
                    "byte {at} of the header `traceparent` is `{found}` instead of {wanted}"
                )?;
            }
            Self::Version => {
                f.write_str("the version of the header `traceparent` is ff, which is forbidden")?;
            }
            Self::ZeroTraceId => f.write_str("the trace id in the header `traceparent` is zero")?,
            Self::ZeroSpanId => f.write_str("the span id in the header `traceparent` is zero")?,
        }
        f.write_str(": start a new trace, and make the caller send 00-<trace id>-<span id>-<flags>")
    }
}

impl Error for TraceParentError {}
