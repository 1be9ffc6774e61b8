use super::chunk::Chunk;
use crate::base::stats::DropCounts;
use zerospan_core::sync::{self, Mutex, MutexGuard};

/// The items that one thread has recorded into one pipeline and not yet handed over.
///
/// Its own thread locks it for each item. Only a flush, the timer and a snapshot lock it from another thread.
#[derive(Debug, Default)]
pub(crate) struct ThreadBuffer(Mutex<BufferState>);

/// The guarded part of a [`ThreadBuffer`].
#[derive(Debug, Default)]
pub(crate) struct BufferState {
    pub(crate) chunk: Chunk,
    /// Items that the thread recorded, dropped ones included, since the last hand-over.
    pub(crate) recorded: u64,
    /// Items dropped before the hand-over.
    pub(crate) dropped: DropCounts,
}

impl ThreadBuffer {
    #[inline]
    pub(crate) fn lock(&self) -> MutexGuard<'_, BufferState> {
        sync::lock(&self.0)
    }

    pub(crate) fn try_lock(&self) -> Option<MutexGuard<'_, BufferState>> {
        sync::try_lock(&self.0)
    }
}
