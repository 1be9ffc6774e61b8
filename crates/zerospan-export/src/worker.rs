//! Requests from the queue to the collector: on a thread of the pipeline's, or inline on the thread that flushes.

mod export;
pub(crate) mod inline;
pub(crate) mod thread;
