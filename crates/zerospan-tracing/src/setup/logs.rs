use super::env::is_exporting_logs;
use super::sdk::Resource;
use zerospan_export::{Pipeline, PipelineBuilder, Signal};
use zerospan_logs::{LoggerProvider, LoggerProviderBuilder};
use zerospan_transport::ConfigError;
use zerospan_transport::env::{self, DeferredReports};

/// The set-up of the logs.
#[derive(Debug)]
pub(super) struct LogsSetup {
    pub(super) pipeline: PipelineBuilder,
    /// Takes the place of the pipeline that `pipeline` builds.
    pub(super) exporter: Option<Pipeline>,
    is_exporting: bool,
    pub(super) provider: LoggerProviderBuilder,
}

impl LogsSetup {
    /// Reads the environment.
    pub(super) fn from_env() -> (Self, DeferredReports) {
        env::deferred(|| Self {
            pipeline: PipelineBuilder::from_env_for(Signal::Logs),
            exporter: None,
            is_exporting: env::from_process(is_exporting_logs),
            provider: LoggerProviderBuilder::from_env(),
        })
    }

    pub(super) fn build(self, resource: Option<Resource>) -> Result<LoggerProvider, ConfigError> {
        let mut provider = self.provider;
        if let Some(resource) = resource {
            provider = provider.with_resource(resource);
        }
        if let Some(pipeline) = self.exporter {
            provider = provider.with_exporter(pipeline);
        } else if self.is_exporting {
            provider = provider.with_exporter(self.pipeline.build()?);
        }
        Ok(provider.build())
    }
}
