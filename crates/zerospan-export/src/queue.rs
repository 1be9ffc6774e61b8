//! Chunks, from the threads that record to the worker: thread buffers, the queue, and free memory.

pub(crate) mod chunk;
pub(crate) mod inner;
mod others;
mod record;
pub(crate) mod state;
pub(crate) mod thread_buffer;
