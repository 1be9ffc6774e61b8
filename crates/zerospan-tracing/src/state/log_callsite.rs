use super::callsite::{self, FieldKey};
use super::loggers::Loggers;
use super::options::{Options, Switch};
use opentelemetry::logs::Severity;
use std::fmt;
use tracing_core::{Level, Metadata};
use zerospan_logs::Logger;
use zerospan_otlp::LogRecordLimits;
use zerospan_trace::layer::AttributeBuffer;

/// The constant parts of the log records of a callsite.
pub(crate) struct LogCallsite {
    pub(crate) metadata: &'static Metadata<'static>,
    pub(crate) fields: Box<[FieldKey]>,
    /// The constant attributes.
    pub(crate) constants: AttributeBuffer,
    pub(crate) severity: Severity,
    /// The name, unless it is only the line in the source.
    pub(crate) event_name: Option<&'static str>,
    /// The logger of the target.
    pub(crate) logger: Logger,
    /// The target is that of each record.
    pub(crate) is_log: bool,
}

impl LogCallsite {
    pub(crate) fn new(
        metadata: &'static Metadata<'static>,
        options: Options,
        limits: &LogRecordLimits,
        loggers: &Loggers,
    ) -> Self {
        let mut constants = AttributeBuffer::new();
        if options.has(Switch::Location) {
            callsite::write_location(metadata, &mut constants.log_writer(limits));
        }
        let target = metadata.target();
        let logger = loggers.get(target).cloned();
        Self {
            metadata,
            fields: callsite::fields(metadata),
            constants,
            severity: severity(metadata.level()),
            event_name: event_name(metadata),
            logger: logger.unwrap_or_else(|| loggers.create(target)),
            is_log: callsite::is_log(metadata),
        }
    }
}

fn severity(level: &Level) -> Severity {
    match *level {
        Level::TRACE => Severity::Trace,
        Level::DEBUG => Severity::Debug,
        Level::INFO => Severity::Info,
        Level::WARN => Severity::Warn,
        Level::ERROR => Severity::Error,
    }
}

/// Returns the name of an event that has one: `tracing` calls the others `event src/main.rs:7`, and `tracing-log` all of its.
fn event_name(metadata: &Metadata<'static>) -> Option<&'static str> {
    let name = metadata.name();
    (!callsite::is_log(metadata) && !is_source_line(metadata)).then_some(name)
}

fn is_source_line(metadata: &Metadata<'static>) -> bool {
    let line = || {
        let rest = metadata.name().strip_prefix("event ")?;
        let line = rest.strip_prefix(metadata.file()?)?.strip_prefix(':')?;
        line.parse::<u32>().ok()
    };
    metadata.line().is_some() && line() == metadata.line()
}

impl fmt::Debug for LogCallsite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogCallsite")
            .field("name", &self.metadata.name())
            .field("fields", &self.fields.len())
            .finish_non_exhaustive()
    }
}
