/// Removes an incomplete event or link when dropped, and counts it as dropped.
///
/// It is dropped if the closure that writes the attributes panics, and forgotten otherwise.
pub(super) struct RollbackOnUnwind<'a> {
    pub(super) start: usize,
    pub(super) buffer: &'a mut Vec<u8>,
    pub(super) count: &'a mut u32,
    pub(super) dropped: &'a mut u32,
}

impl Drop for RollbackOnUnwind<'_> {
    #[cold]
    fn drop(&mut self) {
        self.buffer.truncate(self.start);
        *self.count -= 1;
        *self.dropped = self.dropped.saturating_add(1);
    }
}
