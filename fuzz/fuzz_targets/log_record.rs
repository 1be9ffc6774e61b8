//! Checks that any log record is encoded as prost encodes the official transform's message.
//!
//! Recorded call by call, formatted values and repeated keys included, into a recorder that has held another record before.
#![no_main]

use arbitrary::{Arbitrary, Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use log_model::{Call, Pieces};
use opentelemetry::Key;
use opentelemetry::logs::{AnyValue, Severity};
use std::collections::HashMap;
use std::time::{Duration, SystemTime};
use zerospan_core::Reset;
use zerospan_otlp::{LogRecordLimits, LogRecordRecorder, ScopeLogsView};

#[path = "../../crates/zerospan-otlp/tests/it/log_model.rs"]
mod log_model;

/// Deeper values are cut, which the model does not do.
const MAX_DEPTH: u8 = 20;

/// A setting of a log record, from arbitrary bytes.
#[derive(Debug)]
struct AnyRecord {
    calls: Vec<Call>,
    observed: SystemTime,
}

impl<'a> Arbitrary<'a> for AnyRecord {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let observed = time(u)?;
        let mut calls = Vec::new();
        for _ in 0..u.int_in_range(0..=40)? {
            if u.is_empty() {
                break;
            }
            calls.push(call(u)?);
        }
        Ok(Self { calls, observed })
    }
}

fn call(u: &mut Unstructured<'_>) -> Result<Call> {
    Ok(match u.int_in_range(0..=11)? {
        0 => Call::Time(time(u)?),
        1 => Call::SeverityNumber(*u.choose(&[Severity::Trace, Severity::Info, Severity::Fatal4])?),
        2 => Call::SeverityText(static_text(u)?),
        3 => Call::EventName(static_text(u)?),
        4 => Call::Body(value(u, 0)?),
        5 => Call::TraceContext(u.arbitrary()?, u.arbitrary()?, u.arbitrary()?),
        6 => Call::FormattedBody(pieces(u)?),
        7 | 8 => Call::Formatted(key(u)?, pieces(u)?),
        _ => Call::Attribute(key(u)?, value(u, 0)?),
    })
}

/// Takes a text from the input, or one of a length around which a varint grows.
fn text(u: &mut Unstructured<'_>) -> Result<String> {
    let around = *u.choose(&[0, 0, 0, 0, 32, 64, 121, 127, 16_384])?;
    if around == 0 {
        return u.arbitrary();
    }
    let length = (around + u.int_in_range(0..=8)?) as usize - 4;
    Ok("t".repeat(length))
}

fn static_text(u: &mut Unstructured<'_>) -> Result<&'static str> {
    const LONG: &str = concat!(
        "a.text.that.is.so.long.that.its.length.takes.more.than.one.byte.as.a.varint.which.is.the.case.",
        "from.a.hundred.and.twenty.eight.bytes.on"
    );
    Ok(u.choose(&["", "INFO", "order.placed", LONG])?)
}

/// Few keys half of the time, so that some come again.
fn key(u: &mut Unstructured<'_>) -> Result<String> {
    Ok(match u.arbitrary::<bool>()? {
        true => "k".repeat(u.int_in_range(0..=70)?),
        false => text(u)?,
    })
}

fn pieces(u: &mut Unstructured<'_>) -> Result<Pieces> {
    let mut pieces = Vec::new();
    for _ in 0..u.int_in_range(0..=4)? {
        pieces.push(text(u)?);
    }
    Ok(Pieces(pieces))
}

fn time(u: &mut Unstructured<'_>) -> Result<SystemTime> {
    // Up to the year 2554: beyond it, ours differs from the official one, on purpose.
    Ok(SystemTime::UNIX_EPOCH + Duration::from_nanos(u.arbitrary()?))
}

fn value(u: &mut Unstructured<'_>, depth: u8) -> Result<AnyValue> {
    let kinds = if depth < MAX_DEPTH && !u.is_empty() { 6 } else { 4 };
    Ok(match u.int_in_range(0..=kinds)? {
        0 => AnyValue::Int(u.arbitrary()?),
        1 => AnyValue::Double(u.arbitrary()?),
        2 => AnyValue::Boolean(u.arbitrary()?),
        3 => AnyValue::Bytes(Box::new(u.arbitrary()?)),
        4 => AnyValue::String(text(u)?.into()),
        5 => {
            let mut values = Vec::new();
            for _ in 0..u.int_in_range(0..=6)? {
                values.push(value(u, depth + 1)?);
            }
            AnyValue::ListAny(Box::new(values))
        }
        _ => {
            let mut values = HashMap::new();
            for _ in 0..u.int_in_range(0..=6)? {
                values.insert(Key::from(key(u)?), value(u, depth + 1)?);
            }
            AnyValue::Map(Box::new(values))
        }
    })
}

fuzz_target!(|input: (Vec<AnyRecord>, [u8; 3])| {
    let (records, limits) = input;
    let limits = limits_of(limits);
    let mut recorder = LogRecordRecorder::with_limits(limits);
    for AnyRecord { calls, observed } in records.into_iter().take(3) {
        recorder.reset();
        log_model::record(&calls, observed, &mut recorder);
        let ours = log_model::encode(&recorder);
        let expected = log_model::model(&calls, observed, &limits);
        assert_eq!(ours, log_model::field(expected));
        assert!(ScopeLogsView::new(&ours).is_ok_and(|view| view.validate().is_ok()));
    }
});

/// None, or few.
fn limits_of([attributes, length, repeated]: [u8; 3]) -> LogRecordLimits {
    let mut limits = LogRecordLimits::NONE;
    if attributes >= 128 {
        limits.max_attributes = u32::from(attributes) % 8;
    }
    limits.max_attribute_value_length = length.checked_sub(128).map(u32::from);
    limits.keep_repeated_keys = repeated >= 128;
    limits
}
