use super::event::EventOutput;
use super::value::catch;
use crate::state::callsite::{self, FieldKey, LogField, Role};
use crate::state::log_callsite::LogCallsite;
use crate::state::loggers::Loggers;
use crate::state::stats::Losses;
use opentelemetry::logs::{LogRecord as _, Severity};
use std::fmt;
use tracing_core::Event;
use tracing_core::field::{Field, Visit};
use zerospan_core::{Attribute, AttributeValue};
use zerospan_logs::{LogRecord, Logger};
use zerospan_otlp::StaticKey;

/// Writes an event as a log record.
pub(crate) struct LogEvent<'a> {
    pub(crate) record: LogRecord,
    pub(crate) logger: &'a Logger,
    /// The logger's scope is not named after the target.
    has_other_target: bool,
}

impl<'a> LogEvent<'a> {
    /// Starts with what is constant for a callsite. Returns `None` if nobody takes the record. Telemetry must not be suppressed.
    #[inline]
    pub(crate) fn new(
        callsite: &'a LogCallsite,
        loggers: &'a Loggers,
        event: &Event<'_>,
    ) -> Option<Self> {
        let (severity, name) = (callsite.severity, callsite.event_name);
        let (logger, has_other_target) = if callsite.is_log {
            logger_of_log(callsite, loggers, event)?
        } else {
            let target = callsite.metadata.target();
            let is_enabled = callsite.logger.takes(severity, target, name);
            is_enabled.then_some((&callsite.logger, false))?
        };
        let mut record = logger.record();
        record.set_severity(severity);
        if let Some(name) = name {
            record.set_event_name(name);
        }
        record.append(&callsite.constants);
        Some(Self {
            record,
            logger,
            has_other_target,
        })
    }

    /// Emits the record, with the current time.
    #[inline]
    pub(crate) fn emit(mut self) {
        let now = self.logger.unix_nanos();
        self.record.set_unix_nanos(now);
        self.record.set_observed_unix_nanos(now);
        self.logger.emit_as_is(self.record);
    }
}

impl EventOutput for LogEvent<'_> {
    // Inlined for each kind of value, which is known then.
    #[inline(always)]
    fn set(&mut self, key: &StaticKey, value: AttributeValue<'_>) {
        self.record.set(key, value);
    }

    fn set_attribute(&mut self, attribute: Attribute<'_>) {
        self.record.set_dynamic(attribute.key, attribute.value);
    }

    #[inline]
    fn set_message(&mut self, message: &str) {
        self.record.set_body_value(message);
    }

    fn set_exception(&mut self) {}

    fn set_target(&mut self, target: &str) {
        if self.has_other_target {
            self.set(&callsite::TARGET, AttributeValue::Str(target));
        }
    }

    #[inline]
    fn complete(&mut self, _: &'static str) {}

    #[inline]
    fn format_message(&mut self, losses: &Losses, _: &mut String, message: fmt::Arguments<'_>) {
        catch(losses, || self.record.set_body_fmt(message));
    }

    #[inline]
    fn format(
        &mut self,
        losses: &Losses,
        _: &mut String,
        key: &StaticKey,
        value: fmt::Arguments<'_>,
    ) {
        catch(losses, || self.record.set_fmt(key, value));
    }
}

/// Returns the logger of a record of the `log` crate, and whether its scope has another name than the record's target. Returns
/// `None` if nobody takes the record.
fn logger_of_log<'a>(
    callsite: &'a LogCallsite,
    loggers: &'a Loggers,
    event: &Event<'_>,
) -> Option<(&'a Logger, bool)> {
    let mut visitor = TargetVisitor {
        fields: &callsite.fields,
        fallback: &callsite.logger,
        loggers,
        severity: callsite.severity,
        found: None,
    };
    event.record(&mut visitor);
    visitor.found
}

/// Finds the logger for the target of a record of the `log` crate.
struct TargetVisitor<'a> {
    fields: &'a [FieldKey],
    fallback: &'a Logger,
    loggers: &'a Loggers,
    severity: Severity,
    found: Option<(&'a Logger, bool)>,
}

impl Visit for TargetVisitor<'_> {
    fn record_str(&mut self, field: &Field, target: &str) {
        let role = self.fields.get(field.index()).map(|field| field.role);
        if role != Some(Role::Log(LogField::Target)) {
            return;
        }
        let known = self.loggers.get(target);
        let logger = known.unwrap_or(self.fallback);
        if logger.takes(self.severity, target, None) {
            self.found = Some((logger, known.is_none()));
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}
