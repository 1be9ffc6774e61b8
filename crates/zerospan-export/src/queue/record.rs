//! Records an item into its thread's buffer.

use super::chunk::Chunk;
use super::inner::PipelineInner;
use super::thread_buffer::{BufferState, ThreadBuffer};
use crate::base::stats::{DropCause, DropCounts};
use std::sync::Arc;

impl ThreadBuffer {
    /// Records one item: `append` adds it to the chunk and returns its length, or counts it as dropped.
    #[inline]
    pub(crate) fn record(
        &self,
        inner: &Arc<PipelineInner>,
        append: impl FnOnce(&mut Chunk, &mut DropCounts) -> Result<usize, DropCause>,
    ) -> Result<(), DropCause> {
        let mut buffer = self.lock();
        let buffer = &mut *buffer;
        if inner.is_closed() {
            return buffer.refuse(DropCause::AfterShutdown);
        }
        // A vacant chunk is full.
        if buffer.chunk.is_full()
            && let Err(cause) = buffer.make_room(inner)
        {
            return buffer.refuse(cause);
        }
        buffer.recorded += 1;
        let len = append(&mut buffer.chunk, &mut buffer.dropped)?;
        if buffer.chunk.is_full() {
            buffer.hand_over_full(inner, len)?;
        }
        Ok(())
    }
}

impl ThreadBuffer {
    /// Hands over the chunk if an item of about `len` bytes would make its buffer grow, and would fit into an empty one.
    #[cold]
    pub(crate) fn make_room_for(&self, inner: &PipelineInner, len: usize) {
        let mut buffer = self.lock();
        let chunk = &buffer.chunk;
        // The fields that an item gets at its end are short.
        let len = len + 512;
        let fits = chunk.len() + len <= chunk.capacity();
        if chunk.items() > 0 && !fits && len <= inner.limits.chunk_bytes && !inner.is_closed() {
            // If the queue has no room, the buffer grows.
            let _ = inner.hand_over(&mut buffer);
        }
    }
}

impl BufferState {
    #[cold]
    fn refuse(&mut self, cause: DropCause) -> Result<(), DropCause> {
        self.recorded += 1;
        self.dropped.add(cause, 1);
        Err(cause)
    }

    /// Acquires a chunk, after handing over the full one.
    #[cold]
    fn make_room(&mut self, inner: &Arc<PipelineInner>) -> Result<(), DropCause> {
        if !self.chunk.is_vacant() {
            inner.hand_over(self)?;
        }
        self.chunk = inner.acquire_chunk()?;
        self.chunk.fetch_start();
        Ok(())
    }

    /// Hands over a full chunk; it stays here while the queue has no room for it. If the last item, of length `len`, made the
    /// chunk grow beyond the memory limit, removes that item.
    #[cold]
    fn hand_over_full(&mut self, inner: &Arc<PipelineInner>, len: usize) -> Result<(), DropCause> {
        if let Err(cause) = inner.charge_growth(&mut self.chunk) {
            self.chunk.remove_last(len);
            self.chunk.free_uncharged();
            self.dropped.add(cause, 1);
            return Err(cause);
        }
        // The item is kept either way.
        let _ = inner.hand_over(self);
        Ok(())
    }
}
