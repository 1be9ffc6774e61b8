use crate::processor::{Processor, ProcessorError};
use crate::record::LogRecord;
use opentelemetry::logs::{AnyValue, LogRecord as _, Logger as _, LoggerProvider as _, Severity};
use opentelemetry::{InstrumentationScope, Key};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::logs::{LogProcessor, SdkLogRecord, SdkLogger, SdkLoggerProvider};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use zerospan_core::Reset;
use zerospan_otlp::ValueView;

/// Passes log records to a processor of the official SDK, and through it to the SDK's exporters.
///
/// Builds the SDK's `SdkLogRecord` of each record, which allocates for every string and attribute in it. What the processor
/// changes in it is written back, and the sinks that follow see it.
#[derive(Debug)]
pub struct SdkProcessor<P> {
    processor: P,
    /// Creates the SDK's records, which have no public constructor.
    factory: SdkLogger,
}

impl<P: LogProcessor> SdkProcessor<P> {
    /// Wraps `processor`.
    pub fn new(processor: P) -> Self {
        let factory = SdkLoggerProvider::builder()
            .with_resource(Resource::builder_empty().build())
            .build()
            .logger("");
        Self { processor, factory }
    }
}

impl<P: LogProcessor> Processor for SdkProcessor<P> {
    fn on_emit(&self, record: &mut LogRecord, scope: &InstrumentationScope) {
        let Some(before) = self.convert(record) else {
            return;
        };
        let mut after = before.clone();
        self.processor.emit(&mut after, scope);
        if after != before {
            write_back(record, &after);
        }
    }

    fn event_enabled(&self, severity: Severity, target: &str, name: Option<&str>) -> bool {
        self.processor.event_enabled(severity, target, name)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.processor.set_resource(resource);
    }

    /// Flushes within the SDK's own timeout, since its `force_flush` takes none.
    fn force_flush(&self, _timeout: Duration) -> Result<(), ProcessorError> {
        self.processor.force_flush().map_err(Into::into)
    }

    fn shutdown(&self, timeout: Duration) -> Result<(), ProcessorError> {
        self.processor
            .shutdown_with_timeout(timeout)
            .map_err(Into::into)
    }
}

impl<P> SdkProcessor<P> {
    /// Converts a record to the SDK's form. Allocates for every string and attribute in it.
    fn convert(&self, record: &LogRecord) -> Option<SdkLogRecord> {
        let slot = record.slot.as_ref()?;
        let recorder = &slot.recorder;
        let mut converted = self.factory.create_log_record();
        if let Some(name) = slot.event_name {
            converted.set_event_name(name);
        }
        if let Some(target) = &slot.target {
            converted.set_target(target.clone());
        }
        if recorder.time_unix_nanos() != 0 {
            converted.set_timestamp(time(recorder.time_unix_nanos()));
        }
        if recorder.observed_time_unix_nanos() != 0 {
            converted.set_observed_timestamp(time(recorder.observed_time_unix_nanos()));
        }
        if let Some(text) = slot.severity_text {
            converted.set_severity_text(text);
        }
        if let Some(severity) = severity(recorder.severity_number()) {
            converted.set_severity_number(severity);
        }
        if let Some(body) = recorder.body() {
            converted.set_body(owned(body));
        }
        if let Some((trace_id, span_id)) = recorder.span() {
            converted.set_trace_context(trace_id, span_id, Some(recorder.trace_flags()));
        }
        for attribute in recorder.attributes() {
            if let Some(value) = attribute.value {
                converted.add_attribute(Key::from(attribute.key.to_owned()), owned(value));
            }
        }
        Some(converted)
    }
}

/// Makes `record` what `changed` is.
fn write_back(record: &mut LogRecord, changed: &SdkLogRecord) {
    let Some(slot) = &mut record.slot else { return };
    let dropped = slot.recorder.dropped_attributes();
    slot.reset();
    slot.recorder.count_dropped_attributes(dropped);
    if let Some(name) = changed.event_name() {
        record.set_event_name(name);
    }
    if let Some(target) = changed.target() {
        record.set_target(target.clone());
    }
    if let Some(time) = changed.timestamp() {
        record.set_timestamp(time);
    }
    if let Some(time) = changed.observed_timestamp() {
        record.set_observed_timestamp(time);
    }
    if let Some(text) = changed.severity_text() {
        record.set_severity_text(text);
    }
    if let Some(number) = changed.severity_number() {
        record.set_severity_number(number);
    }
    if let Some(body) = changed.body() {
        record.set_body(body.clone());
    }
    if let Some(context) = changed.trace_context() {
        record.set_trace_context(context.trace_id, context.span_id, context.trace_flags);
    }
    for (key, value) in changed.attributes_iter() {
        record.add_attribute(key.clone(), value.clone());
    }
}

fn time(unix_nanos: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_nanos(unix_nanos)
}

/// Copies a value. Allocates for strings, bytes, arrays and maps.
fn owned(value: ValueView<'_>) -> AnyValue {
    match value {
        ValueView::Str(text) => AnyValue::String(text.to_owned().into()),
        ValueView::Bool(value) => AnyValue::Boolean(value),
        ValueView::I64(value) => AnyValue::Int(value),
        ValueView::F64(value) => AnyValue::Double(value),
        ValueView::Bytes(bytes) => AnyValue::Bytes(Box::new(bytes.to_vec())),
        ValueView::Array(values) => {
            AnyValue::ListAny(Box::new(values.flatten().map(owned).collect()))
        }
        ValueView::KvList(attributes) => AnyValue::Map(Box::new(
            attributes
                .flatten()
                .filter_map(|attribute| {
                    Some((Key::from(attribute.key.to_owned()), owned(attribute.value?)))
                })
                .collect(),
        )),
        // The recorder writes no other kind.
        _ => AnyValue::String("".into()),
    }
}

fn severity(number: u8) -> Option<Severity> {
    use Severity::{
        Debug, Debug2, Debug3, Debug4, Error, Error2, Error3, Error4, Fatal, Fatal2, Fatal3,
        Fatal4, Info, Info2, Info3, Info4, Trace, Trace2, Trace3, Trace4, Warn, Warn2, Warn3,
        Warn4,
    };
    const ALL: [Severity; 24] = [
        Trace, Trace2, Trace3, Trace4, Debug, Debug2, Debug3, Debug4, Info, Info2, Info3, Info4,
        Warn, Warn2, Warn3, Warn4, Error, Error2, Error3, Error4, Fatal, Fatal2, Fatal3, Fatal4,
    ];
    ALL.get(usize::from(number).checked_sub(1)?).copied()
}

#[cfg(test)]
mod tests {
    use super::severity;

    #[test]
    fn every_severity_is_that_of_its_number() {
        for number in 1..=24 {
            assert_eq!(severity(number).map(|found| found as u8), Some(number));
        }
        assert_eq!((severity(0), severity(25)), (None, None));
    }
}
