use crate::chunk::Chunk;
use crate::core::Core;
use crate::{DropCause, Dropped};
use std::sync::Arc;
use zerospan_core::sync::{self, Mutex, MutexGuard};

/// What one thread holds of one pipeline. Only a flush, the timer and a snapshot take the lock from elsewhere.
#[derive(Debug, Default)]
pub(crate) struct Slot(Mutex<Open>);

/// The inside of a slot.
#[derive(Debug, Default)]
pub(crate) struct Open {
    pub(crate) chunk: Chunk,
    /// Spans that the thread recorded, whatever became of them.
    pub(crate) recorded: u64,
    /// Spans that were dropped before they were handed over.
    pub(crate) dropped: Dropped,
}

impl Slot {
    #[inline]
    pub(crate) fn lock(&self) -> MutexGuard<'_, Open> {
        sync::lock(&self.0)
    }

    pub(crate) fn try_lock(&self) -> Option<MutexGuard<'_, Open>> {
        sync::try_lock(&self.0)
    }

    /// Records one span, on the thread that the slot belongs to: `append` adds it to the chunk, and gives the bytes that it
    /// takes, or counts it as dropped.
    #[inline]
    pub(crate) fn record(
        &self,
        core: &Arc<Core>,
        append: impl FnOnce(&mut Chunk, &mut Dropped) -> Result<usize, DropCause>,
    ) -> Result<(), DropCause> {
        let mut open = self.lock();
        let open = &mut *open;
        if core.is_closed() {
            return open.refuse(DropCause::AfterShutdown);
        }
        // A vacant chunk is full.
        if open.chunk.is_full()
            && let Err(cause) = open.make_room(core)
        {
            return open.refuse(cause);
        }
        open.recorded += 1;
        let len = append(&mut open.chunk, &mut open.dropped)?;
        if open.chunk.is_full() {
            open.filled(core, len)?;
        }
        Ok(())
    }
}

impl Open {
    #[cold]
    fn refuse(&mut self, cause: DropCause) -> Result<(), DropCause> {
        self.recorded += 1;
        self.dropped.count(cause, 1);
        Err(cause)
    }

    /// Gets a chunk, or hands a full one over for one.
    #[cold]
    fn make_room(&mut self, core: &Arc<Core>) -> Result<(), DropCause> {
        if !self.chunk.is_vacant() {
            core.hand_over(self)?;
        }
        self.chunk = core.acquire()?;
        Ok(())
    }

    /// Hands a full chunk over if the queue has room; if not, it stays until there is some. A span that made the chunk
    /// grow beyond the memory that is allowed is taken back.
    #[cold]
    fn filled(&mut self, core: &Arc<Core>, len: usize) -> Result<(), DropCause> {
        if let Err(cause) = core.account_growth(&mut self.chunk) {
            self.chunk.take_back(len);
            core.limits.shrink(&mut self.chunk);
            self.dropped.count(cause, 1);
            return Err(cause);
        }
        // The span is safe either way.
        let _ = core.hand_over(self);
        Ok(())
    }
}
