/// What one span may hold. What is beyond a limit is dropped, and counted in the span.
///
/// The defaults are the specification's: 128 attributes, events and links a span, 128 attributes an event and a link, and no
/// limit to the length of a value. `u32::MAX` is no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecordLimits {
    /// How many attributes a span holds.
    pub attributes: u32,
    /// How many events a span holds.
    pub events: u32,
    /// How many links a span holds.
    pub links: u32,
    /// How many attributes each event holds.
    pub attributes_per_event: u32,
    /// How many attributes each link holds.
    pub attributes_per_link: u32,
    /// After how many characters (Unicode scalar values) a string value is cut, and each string of an array; `None` for no
    /// limit.
    pub value_length: Option<u32>,
    /// Whether every value of a key is kept, as the stock SDK does it. Otherwise, as the specification asks, the last one is.
    pub repeated_keys: bool,
}

impl Default for RecordLimits {
    fn default() -> Self {
        Self {
            attributes: 128,
            events: 128,
            links: 128,
            attributes_per_event: 128,
            attributes_per_link: 128,
            value_length: None,
            repeated_keys: false,
        }
    }
}

impl RecordLimits {
    /// No limit to anything.
    pub const NONE: Self = Self {
        attributes: u32::MAX,
        events: u32::MAX,
        links: u32::MAX,
        attributes_per_event: u32::MAX,
        attributes_per_link: u32::MAX,
        value_length: None,
        repeated_keys: false,
    };
}
