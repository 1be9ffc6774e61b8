use zerospan_otlp::protobuf::leading_field_len;

/// The tag of an item in its scope's message: field 2, length-delimited, in `ScopeSpans` and `ScopeLogs` alike.
const TAG: u8 = zerospan_otlp::protobuf::schema::scope_items::tag::ITEMS;

/// Returns the length of the encoded item that `bytes` begins with, tag and length included; `None` if it begins with none.
#[inline]
pub(crate) fn item_len(bytes: &[u8]) -> Option<usize> {
    leading_field_len(bytes, TAG)
}
