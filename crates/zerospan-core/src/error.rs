use std::error::Error;
use std::fmt;

/// A collection of fixed capacity is full: here is your value back.
#[non_exhaustive]
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CapacityError<T> {
    /// The value that did not fit.
    pub value: T,
    /// How many values the collection holds when it is full.
    pub capacity: usize,
}

impl<T> CapacityError<T> {
    /// Says that `value` did not fit into a collection of `capacity`.
    pub const fn new(value: T, capacity: usize) -> Self {
        Self { value, capacity }
    }

    /// The value that did not fit.
    pub fn into_value(self) -> T {
        self.value
    }
}

/// Leaves the value out, which need not be `Debug`.
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

/// A value of a kind that this version does not know; it comes from a later version of the OpenTelemetry API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnsupportedValue;

impl fmt::Display for UnsupportedValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the attribute value is of a kind that OpenTelemetry 0.33 does not have: \
             use a boolean, an integer, a float, a string or an array of one of them",
        )
    }
}

impl Error for UnsupportedValue {}

/// Why an [`AttributeSink`](crate::AttributeSink) did not take an attribute.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SinkError {
    /// The sink's capacity is fixed, and used up.
    Full {
        /// How many attributes the sink takes.
        capacity: usize,
    },
    /// The memory that the sink has for keys and values is bounded, and does not hold these as well.
    OutOfSpace {
        /// How many bytes of keys and values the sink has room for.
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
                "the attribute does not fit into what is left of {capacity} bytes for keys and values: \
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

/// Some attributes of a source were not taken; the others were.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExtendError {
    /// How many attributes were not taken: at least 1.
    pub rejected: usize,
    /// Why the first of them was not.
    pub cause: SinkError,
}

impl ExtendError {
    /// Says that `rejected` attributes were not taken, the first of them for `cause`.
    pub const fn new(rejected: usize, cause: SinkError) -> Self {
        Self { rejected, cause }
    }
}

impl fmt::Display for ExtendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} attributes were not taken; the first: {}",
            self.rejected, self.cause
        )
    }
}

impl Error for ExtendError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.cause)
    }
}
