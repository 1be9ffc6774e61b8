/// The fields of a recorded span that stand before its attributes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Head {
    /// The length of the fields, of which the last is the end time. 0 before the span begins.
    pub(super) len: usize,
    /// The position of the field with the name, or where it would be.
    pub(super) name_at: usize,
    pub(super) flags: [u8; 4],
}
