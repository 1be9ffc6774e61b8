use super::retry_policy::RetryPolicy;
use zerospan_core::fork::ProcessOwned;
use zerospan_core::panics;
use zerospan_core::sync::OnceBox;
use zerospan_otlp::EncodedResource;
use zerospan_transport::{Connect, SendError, Signal, Transport};

/// The settings of a pipeline, which a forked child shares with its parent.
pub(crate) struct PipelineConfig {
    pub(crate) signal: Signal,
    pub(crate) connect: ProcessOwned<Box<dyn Connect>>,
    pub(crate) retry: RetryPolicy,
    /// There is no worker thread: the thread that flushes sends.
    pub(crate) inline: bool,
    /// Set by the builder or, once, later.
    pub(crate) resource: OnceBox<EncodedResource>,
    /// Used while `resource` is not set.
    pub(crate) empty_resource: EncodedResource,
}

impl PipelineConfig {
    pub(crate) fn resource(&self) -> &EncodedResource {
        self.resource.get().unwrap_or(&self.empty_resource)
    }
}

impl Drop for PipelineConfig {
    fn drop(&mut self) {
        // User code: the last reference may go in the destructor of a thread-local, where a panic ends the process.
        if self.connect.is_current() {
            panics::drop_quietly(std::mem::replace(&mut *self.connect, Box::new(Gone)));
        }
    }
}

/// Stands in for what is dropped.
struct Gone;

impl Connect for Gone {
    fn connect(&self) -> Result<Box<dyn Transport>, SendError> {
        Err(SendError::unreachable("the pipeline is dropped"))
    }
}
