//! Receivers of a provider's items: processors and pipelines. The same for each signal.

mod deliver;
pub(crate) mod error;

pub use deliver::{flush, shut_down};
pub use error::{ProcessorError, ProviderError};

use crate::sdk::Resource;
use std::time::Duration;
use zerospan_export::Pipeline;
use zerospan_otlp::EncodedResource;

/// The default timeout of a flush and of a shutdown: the official SDK's.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);

/// A receiver of a provider's items. `P` is the signal's `dyn Processor`.
#[derive(Debug)]
pub enum Sink<P: ?Sized> {
    /// Observes each item.
    Processor(Box<P>),
    /// Exports the items.
    Pipeline(Pipeline),
}

/// The calls that a processor gets from a provider of any signal.
pub trait SinkProcessor {
    /// Passes the provider's resource on. Catches a panic of the processor.
    fn set_resource(&mut self, resource: &Resource);

    /// Flushes the processor.
    ///
    /// # Errors
    ///
    /// Those of the processor.
    fn force_flush(&self, timeout: Duration) -> Result<(), ProcessorError>;

    /// Shuts the processor down.
    ///
    /// # Errors
    ///
    /// Those of the processor.
    fn shutdown(&self, timeout: Duration) -> Result<(), ProcessorError>;
}

impl<P: ?Sized> Sink<P> {
    /// Returns the pipeline, unless the sink is a processor.
    #[inline]
    pub fn pipeline(&self) -> Option<&Pipeline> {
        match self {
            Self::Pipeline(pipeline) => Some(pipeline),
            Self::Processor(_) => None,
        }
    }

    /// Returns the processor, unless the sink is a pipeline.
    #[inline]
    pub fn processor(&self) -> Option<&P> {
        match self {
            Self::Processor(processor) => Some(processor),
            Self::Pipeline(_) => None,
        }
    }
}

/// Passes the provider's resource to every sink. Returns `false` if a pipeline keeps another one, which it has already.
pub fn set_resource<P: SinkProcessor + ?Sized>(sinks: &mut [Sink<P>], resource: &Resource) -> bool {
    let mut is_set = true;
    for sink in sinks {
        match sink {
            Sink::Processor(processor) => processor.set_resource(resource),
            Sink::Pipeline(pipeline) => {
                is_set &= pipeline.set_resource(EncodedResource::from_sdk(resource));
            }
        }
    }
    is_set
}
