use std::error::Error;
use std::fmt;

/// A collection of fixed capacity is full. Hands the value back.
#[non_exhaustive]
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CapacityError<T> {
    /// The value that did not fit.
    pub value: T,
    /// The collection's capacity, in values.
    pub capacity: usize,
}

impl<T> CapacityError<T> {
    /// Reports that `value` did not fit into a collection of `capacity`.
    pub const fn new(value: T, capacity: usize) -> Self {
        Self { value, capacity }
    }

    /// Returns the value that did not fit.
    pub fn into_value(self) -> T {
        self.value
    }
}

/// Omits the value, which need not be `Debug`.
impl<T> fmt::Debug for CapacityError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CapacityError")
            .field("capacity", &self.capacity)
            .finish_non_exhaustive()
    }
}

impl<T> fmt::Display for CapacityError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the collection is full at its fixed capacity of {}: choose a larger one, or one that spills to the heap",
            self.capacity
        )
    }
}

impl<T> Error for CapacityError<T> {}

/// The kind of an attribute value is unknown: it was added by a later version of the OpenTelemetry API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnsupportedValue;

impl fmt::Display for UnsupportedValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the kind of the attribute value is unknown to OpenTelemetry 0.33: \
             use a boolean, an integer, a float, a string or an array of one of them",
        )
    }
}

impl Error for UnsupportedValue {}

/// The reason that an [`AttributeSink`](crate::AttributeSink) rejected an attribute.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SinkError {
    /// The sink holds its maximum number of attributes.
    Full {
        /// The sink's capacity, in attributes.
        capacity: usize,
    },
    /// The sink's bounded memory for keys and values has no room for these.
    OutOfSpace {
        /// The sink's capacity for keys and values, in bytes.
        capacity: usize,
    },
    /// The value is [`AttributeValue::Unsupported`](crate::AttributeValue::Unsupported).
    Unsupported,
}

impl fmt::Display for SinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full { capacity } => CapacityError::new((), *capacity).fmt(f),
            Self::OutOfSpace { capacity } => write!(
                f,
                "the attribute exceeds the rest of the {capacity} bytes for keys and values: \
                 raise that bound, or use a sink that grows"
            ),
            Self::Unsupported => UnsupportedValue.fmt(f),
        }
    }
}

impl Error for SinkError {}

impl From<UnsupportedValue> for SinkError {
    fn from(_: UnsupportedValue) -> Self {
        Self::Unsupported
    }
}

/// A sink rejected some attributes of a source; it took the others.
///
/// The reason for the first of them is the [`source`](Error::source).
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExtendError {
    /// The number of rejected attributes: at least 1.
    pub rejected: usize,
    /// The reason for the first of them.
    pub cause: SinkError,
}

impl ExtendError {
    /// Reports that `rejected` attributes were rejected, the first of them for `cause`.
    pub const fn new(rejected: usize, cause: SinkError) -> Self {
        Self { rejected, cause }
    }
}

impl fmt::Display for ExtendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the sink rejected {} attributes", self.rejected)
    }
}

impl Error for ExtendError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.cause)
    }
}
