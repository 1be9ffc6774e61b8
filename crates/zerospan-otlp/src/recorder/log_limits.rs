/// The limits of one log record. Attributes beyond a limit are dropped and counted in the record.
///
/// The defaults are those of the specification: 128 attributes, and values of any length. `u32::MAX` is no limit. The body has no
/// limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogRecordLimits {
    /// The maximum number of attributes.
    pub max_attributes: u32,
    /// The maximum length of a string value, in characters (Unicode scalar values), and of bytes. Longer ones are cut, within arrays
    /// and maps too. `None` is no limit.
    pub max_attribute_value_length: Option<u32>,
    /// Keeps every value of a key, as the official SDK does. Otherwise only the last one is kept, as the specification requires.
    pub keep_repeated_keys: bool,
}

impl LogRecordLimits {
    /// No limits.
    pub const NONE: Self = Self {
        max_attributes: u32::MAX,
        max_attribute_value_length: None,
        keep_repeated_keys: false,
    };
}

impl Default for LogRecordLimits {
    fn default() -> Self {
        Self {
            max_attributes: 128,
            ..Self::NONE
        }
    }
}
