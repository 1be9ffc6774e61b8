//! A naive model of the recorder of log records, and the same calls on a record of the official SDK.

use opentelemetry::logs::{AnyValue, LogRecord as _, Logger, LoggerProvider, Severity};
use opentelemetry::trace::{SpanId, TraceFlags, TraceId};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ScopeLogs};
use opentelemetry_sdk::logs::{SdkLogRecord, SdkLoggerProvider};
use prost::Message;
use std::fmt;
use std::time::SystemTime;
use zerospan_otlp::{LogRecordLimits, LogRecordRecorder, unix_nanos};

/// One call of a program on a log record.
#[derive(Clone, Debug)]
pub(crate) enum Call {
    Time(SystemTime),
    SeverityNumber(Severity),
    SeverityText(&'static str),
    EventName(&'static str),
    Body(AnyValue),
    TraceContext(u128, u64, Option<u8>),
    Attribute(String, AnyValue),
    /// A body that is formatted, in pieces.
    FormattedBody(Pieces),
    /// A text that is formatted, in pieces.
    Formatted(String, Pieces),
}

/// A text that is written in pieces.
#[derive(Clone, Debug)]
pub(crate) struct Pieces(pub(crate) Vec<String>);

impl fmt::Display for Pieces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|piece| f.write_str(piece))
    }
}

impl Call {
    /// Returns the call with the value that is set in the end.
    fn plain(&self) -> Self {
        let text = |pieces: &Pieces| AnyValue::String(pieces.to_string().into());
        match self {
            Self::FormattedBody(body) => Self::Body(text(body)),
            Self::Formatted(key, value) => Self::Attribute(key.clone(), text(value)),
            other => other.clone(),
        }
    }
}

/// Makes the same calls on a record of the official SDK.
pub(crate) fn official(calls: &[Call], observed: SystemTime) -> SdkLogRecord {
    let mut record = SdkLoggerProvider::builder()
        .build()
        .logger("of no processor")
        .create_log_record();
    record.set_observed_timestamp(observed);
    for call in calls {
        match call.plain() {
            Call::Time(time) => record.set_timestamp(time),
            Call::SeverityNumber(severity) => record.set_severity_number(severity),
            Call::SeverityText(text) => record.set_severity_text(text),
            Call::EventName(name) => record.set_event_name(name),
            Call::Body(body) => record.set_body(body),
            Call::TraceContext(trace, span, flags) => record.set_trace_context(
                TraceId::from(trace),
                SpanId::from(span),
                flags.map(TraceFlags::new),
            ),
            Call::Attribute(key, value) => record.add_attribute(key, value),
            Call::FormattedBody(_) | Call::Formatted(..) => {}
        }
    }
    record
}

pub(crate) fn record(calls: &[Call], observed: SystemTime, recorder: &mut LogRecordRecorder) {
    recorder.set_observed_time(unix_nanos(observed));
    for call in calls {
        match call {
            Call::Time(time) => recorder.set_time(unix_nanos(*time)),
            Call::SeverityNumber(severity) => recorder.set_severity_number(*severity as u8),
            Call::SeverityText(text) => recorder.set_severity_text(*text),
            Call::EventName(name) => recorder.set_event_name(*name),
            Call::Body(body) => recorder.set_body_any(body),
            Call::TraceContext(trace, span, flags) => recorder.set_trace_context(
                TraceId::from(*trace),
                SpanId::from(*span),
                flags.map(TraceFlags::new).unwrap_or_default(),
            ),
            Call::Attribute(key, value) => recorder.set_any(key.as_str(), value),
            Call::FormattedBody(body) => recorder.set_body_fmt(format_args!("{body}")),
            Call::Formatted(key, value) => {
                recorder.set_fmt(key.as_str(), format_args!("{value}"));
            }
        }
    }
}

/// Returns the calls that count under `limits`, and the number of attributes that are dropped.
fn kept(calls: &[Call], limits: &LogRecordLimits) -> (Vec<Call>, u32) {
    let (mut kept, mut attributes, mut dropped) = (Vec::<Call>::new(), 0, 0);
    for call in calls.iter().map(Call::plain) {
        let Call::Attribute(key, value) = call else {
            kept.push(call);
            continue;
        };
        let value = match limits.max_attribute_value_length {
            Some(max) => cut(&value, max as usize),
            None => value,
        };
        let held = kept.iter_mut().find_map(|held| match held {
            Call::Attribute(held, value) if *held == key => Some(value),
            _ => None,
        });
        match held {
            Some(held) if !limits.keep_repeated_keys => *held = value,
            _ if attributes < limits.max_attributes => {
                attributes += 1;
                kept.push(Call::Attribute(key, value));
            }
            _ => dropped += 1,
        }
    }
    (kept, dropped)
}

fn cut(value: &AnyValue, max: usize) -> AnyValue {
    match value {
        AnyValue::String(text) => {
            AnyValue::String(text.as_str().chars().take(max).collect::<String>().into())
        }
        AnyValue::Bytes(bytes) => {
            AnyValue::Bytes(Box::new(bytes.iter().copied().take(max).collect()))
        }
        AnyValue::ListAny(values) => AnyValue::ListAny(Box::new(
            values.iter().map(|value| cut(value, max)).collect(),
        )),
        AnyValue::Map(values) => {
            let mut values = values.clone();
            values
                .values_mut()
                .for_each(|value| *value = cut(value, max));
            AnyValue::Map(values)
        }
        other => other.clone(),
    }
}

/// The message of the official transform for `calls` under `limits`.
pub(crate) fn model(calls: &[Call], observed: SystemTime, limits: &LogRecordLimits) -> LogRecord {
    let (calls, dropped) = kept(calls, limits);
    let mut message = LogRecord::from(&official(&calls, observed));
    message.dropped_attributes_count = dropped;
    message
}

pub(crate) fn encode(recorder: &LogRecordRecorder) -> Vec<u8> {
    let mut out = b"before".to_vec();
    recorder.finish(&mut out);
    let out = out.split_off(6);
    assert_eq!(recorder.encoded_len(), out.len());
    out
}

pub(crate) fn field(record: LogRecord) -> Vec<u8> {
    let scope = ScopeLogs {
        log_records: vec![record],
        ..ScopeLogs::default()
    };
    scope.encode_to_vec()
}
