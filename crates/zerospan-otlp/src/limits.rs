/// What one span may hold. What is beyond a limit is dropped, and counted in the span.
///
/// The defaults are the specification's: 128 attributes, events and links a span, 128 attributes an event and a link, and no
/// limit to the length of a value. `u32::MAX` is no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SpanLimits {
    /// How many attributes a span holds.
    pub max_attributes_per_span: u32,
    /// How many events a span holds.
    pub max_events_per_span: u32,
    /// How many links a span holds.
    pub max_links_per_span: u32,
    /// How many attributes each event holds.
    pub max_attributes_per_event: u32,
    /// How many attributes each link holds.
    pub max_attributes_per_link: u32,
    /// After how many characters (Unicode scalar values) a string value is cut, and each string of an array; `None` for no
    /// limit.
    pub max_attribute_value_length: Option<u32>,
    /// Whether every value of a key is kept, as the stock SDK does it. Otherwise, as the specification asks, the last one is.
    pub keep_repeated_keys: bool,
}

impl Default for SpanLimits {
    fn default() -> Self {
        Self {
            max_attributes_per_span: 128,
            max_events_per_span: 128,
            max_links_per_span: 128,
            max_attributes_per_event: 128,
            max_attributes_per_link: 128,
            max_attribute_value_length: None,
            keep_repeated_keys: false,
        }
    }
}

impl SpanLimits {
    /// No limit to anything.
    pub const NONE: Self = Self {
        max_attributes_per_span: u32::MAX,
        max_events_per_span: u32::MAX,
        max_links_per_span: u32::MAX,
        max_attributes_per_event: u32::MAX,
        max_attributes_per_link: u32::MAX,
        max_attribute_value_length: None,
        keep_repeated_keys: false,
    };
}
