use super::callsites::Callsites;
use super::log_callsite::LogCallsite;
use super::loggers::Loggers;
use super::options::Options;
use tracing_core::Metadata;
use zerospan_logs::LoggerProvider;
use zerospan_otlp::LogRecordLimits;
use zerospan_trace::layer::SpanLimits;

/// The parts of a layer that exist once it has a logger provider.
#[derive(Debug)]
pub(crate) struct Logs {
    pub(crate) loggers: Loggers,
    limits: LogRecordLimits,
    callsites: Callsites<LogCallsite>,
}

impl Logs {
    pub(crate) fn new(provider: &LoggerProvider) -> Self {
        Self {
            loggers: Loggers::new(provider.clone()),
            limits: provider.record_limits(),
            callsites: Callsites::new(),
        }
    }

    /// Returns the callsite of an event.
    #[inline]
    pub(crate) fn callsite(
        &self,
        metadata: &'static Metadata<'static>,
        options: Options,
    ) -> Option<&LogCallsite> {
        self.callsites.get(metadata, || {
            LogCallsite::new(metadata, options, &self.limits, &self.loggers)
        })
    }

    /// Returns limits for the fields of spans that are kept for log records.
    pub(crate) fn kept_limits(&self) -> SpanLimits {
        let mut limits = SpanLimits::NONE;
        limits.max_attributes_per_span = self.limits.max_attributes;
        limits.max_attribute_value_length = self.limits.max_attribute_value_length;
        limits
    }
}
