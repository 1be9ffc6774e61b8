/// The limits of one span. Data beyond a limit is dropped and counted in the span.
///
/// The defaults are those of the specification: 128 attributes, events and links for each span, 128 attributes for each event
/// and link, and values of any length. `u32::MAX` is no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SpanLimits {
    /// The maximum number of attributes of a span.
    pub max_attributes_per_span: u32,
    /// The maximum number of events of a span.
    pub max_events_per_span: u32,
    /// The maximum number of links of a span.
    pub max_links_per_span: u32,
    /// The maximum number of attributes of an event.
    pub max_attributes_per_event: u32,
    /// The maximum number of attributes of a link.
    pub max_attributes_per_link: u32,
    /// The maximum length of a string value, and of each string of an array, in characters (Unicode scalar values), and of bytes.
    /// Longer ones are cut. `None` is no limit.
    pub max_attribute_value_length: Option<u32>,
    /// Keeps every value of a key, as the official SDK does. Otherwise only the last one is kept, as the specification requires.
    pub keep_repeated_keys: bool,
}

impl SpanLimits {
    /// No limits.
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
