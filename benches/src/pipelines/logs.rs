//! The pipelines of log records that are compared.

use super::{Outcome, SCOPE, Side, build, pipeline, resource};
use crate::sink::{OfficialExporter, Sink};
use opentelemetry::logs::LoggerProvider as _;
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_sdk::logs as sdk;
use std::sync::Arc;
use zerospan_export::Signal;
use zerospan_logs::{Logger, LoggerProvider};

/// The official SDK's logs, with its batch processor.
pub type OfficialLogs = Side<sdk::SdkLoggerProvider>;

impl OfficialLogs {
    /// Sets up the batch processor, the official transform and prost.
    pub fn with_queue(queue: u64) -> Self {
        let sink = Sink::default();
        sink.keep_requests();
        let batch = sdk::BatchConfigBuilder::default()
            .with_max_queue_size(queue as usize)
            .build();
        let processor = sdk::BatchLogProcessor::builder(OfficialExporter::new(&sink))
            .with_batch_config(batch)
            .build();
        let provider = sdk::SdkLoggerProvider::builder()
            .with_resource(resource())
            .with_log_processor(processor)
            .build();
        Self {
            tracer: provider.clone(),
            sink,
            flush: Arc::new(move || provider.force_flush().map_err(|error| error.to_string())),
        }
    }

    /// Replaces the provider by one of its loggers.
    pub fn logger(self) -> Side<sdk::SdkLogger> {
        self.map(|provider| provider.logger(SCOPE))
    }
}

/// Our provider of logs.
pub type ZerospanLogs = Side<LoggerProvider>;

impl ZerospanLogs {
    /// Sets up the provider.
    pub fn with_queue(queue: u64) -> Self {
        let sink = Sink::default();
        sink.keep_requests();
        let pipeline = pipeline(&sink, queue).with_signal(Signal::Logs);
        let provider = LoggerProvider::builder()
            .with_resource(resource())
            .with_exporter(build(pipeline))
            .build();
        Self {
            tracer: provider.clone(),
            sink,
            flush: Arc::new(move || provider.force_flush().map_err(|error| error.to_string())),
        }
    }

    /// Replaces the provider by one of its loggers.
    pub fn logger(self) -> Side<Logger> {
        self.map(|provider| provider.logger(SCOPE))
    }
}

/// Returns a check that both sides delivered `records` log records that say the same, but for the differences that
/// `normalize` removes.
pub fn agree_on_logs(
    records: u64,
    normalize: impl Fn(&mut LogRecord),
) -> impl FnMut(Outcome, Outcome) -> Result<(), String> {
    move |peer, ours| {
        let (peer, ours) = (peer.log_kinds(&normalize)?, ours.log_kinds(&normalize)?);
        if peer.values().sum::<u64>() == records && peer == ours {
            Ok(())
        } else {
            Err(format!(
                "of {records} records, the peer sends {peer:#?}, ours {ours:#?}"
            ))
        }
    }
}
