#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod logger;
mod processor;
mod provider;
mod record;
mod sdk;
mod slot;
mod state;
mod this_thread;

pub use logger::Logger;
pub use processor::{Processor, ProcessorError};
pub use provider::{LogStats, LoggerProvider, LoggerProviderBuilder};
pub use record::LogRecord;
pub use sdk::SdkProcessor;
pub use zerospan_core::{
    Attribute, AttributeSink, AttributeSource, AttributeValue, ExtendError, SinkError,
};
pub use zerospan_export::{ExportStats, FlushError, Pipeline, Scope, ShutdownError};
pub use zerospan_otlp::{
    AttributeView, AttributeWriter, DecodeError, LogRecordView, StaticKey, ValueView,
};
pub use zerospan_trace::{Clock, ProviderError};
pub use zerospan_transport::ConfigError;
