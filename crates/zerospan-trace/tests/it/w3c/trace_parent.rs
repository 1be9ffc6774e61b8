use super::oracle::{read, same_as_official};
use opentelemetry::Context;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use proptest::prelude::*;
use std::collections::HashMap;
use zerospan_trace::TraceParentError::{
    Byte, Length, Missing, Repeated, Version, ZeroSpanId, ZeroTraceId,
};
use zerospan_trace::{TraceParent, remote_span_context};

const EXAMPLE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

fn example(flags: u8) -> SpanContext {
    SpanContext::new(
        TraceId::from(0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c),
        SpanId::from(0xb7ad_6b71_6920_3331),
        TraceFlags::new(flags),
        true,
        TraceState::NONE,
    )
}

#[test]
fn the_recommendations_example_is_read_and_written() {
    let parent: TraceParent = EXAMPLE.parse().expect("valid");
    assert_eq!(SpanContext::from(parent), example(1));
    assert_eq!(TraceParent::new(&example(1)), Some(parent));
    assert_eq!(parent.to_header(), *EXAMPLE.as_bytes());
    assert_eq!(format!("{parent:>57}"), format!("  {EXAMPLE}"));
    assert_eq!(
        (parent.trace_id(), parent.span_id(), parent.trace_flags()),
        (
            example(1).trace_id(),
            example(1).span_id(),
            TraceFlags::SAMPLED
        )
    );
    assert_eq!(TraceParent::new(&SpanContext::NONE), None);
    for (trace_id, span_id) in [(0, 1), (1, 0)] {
        let (trace_id, span_id) = (TraceId::from(trace_id), SpanId::from(span_id));
        let context = SpanContext::new(
            trace_id,
            span_id,
            TraceFlags::SAMPLED,
            true,
            TraceState::NONE,
        );
        assert_eq!(TraceParent::new(&context), None);
    }
}

#[test]
fn flags_that_are_not_defined_are_neither_read_nor_written() {
    let flags = |header: String| {
        let parent = header.parse::<TraceParent>();
        parent.map(|parent| parent.trace_flags().to_u8())
    };
    assert_eq!(
        flags(EXAMPLE.replace("-01", "-ff")),
        Ok(3),
        "sampled, and a random id"
    );
    assert_eq!(flags(EXAMPLE.replace("-01", "-fc")), Ok(0));
    assert_eq!(
        flags(EXAMPLE.replace("00-", "cc-").replace("-01", "-ff")),
        Ok(1),
        "of a version to come"
    );
    let written = TraceParent::new(&example(0xff)).map(|parent| parent.to_string());
    assert_eq!(written, Some(EXAMPLE.replace("-01", "-03")));
}

#[test]
fn of_a_version_to_come_what_follows_is_left_out() {
    for header in ["01-", "fe-"].map(|version| EXAMPLE.replace("00-", version)) {
        assert_eq!(header.parse().map(TraceParent::into), Ok(example(1)));
        let longer = format!("{header}-what-will-be");
        assert_eq!(longer.parse().map(TraceParent::into), Ok(example(1)));
        let glued = format!("{header}.");
        let error = Byte {
            at: 55,
            found: b'.',
        };
        assert_eq!(glued.parse::<TraceParent>(), Err(error));
    }
}

#[test]
fn a_malformed_header_says_what_is_wrong() {
    let zero_trace = EXAMPLE.replace("0af7651916cd43dd8448eb211c80319c", &"0".repeat(32));
    let zero_span = EXAMPLE.replace("b7ad6b7169203331", &"0".repeat(16));
    for (header, error, says) in [
        (
            "",
            Length { bytes: 0 },
            "the header `traceparent` has 0 bytes instead of 55",
        ),
        (
            &format!("{EXAMPLE}-"),
            Length { bytes: 56 },
            "the header `traceparent` has 56 bytes instead of 55",
        ),
        (
            &EXAMPLE.replace("00-", "00_"),
            Byte { at: 2, found: b'_' },
            "byte 2 of the header `traceparent` is `_` instead of a dash",
        ),
        (
            &EXAMPLE.replace("0af", "0Af"),
            Byte { at: 4, found: b'A' },
            "byte 4 of the header `traceparent` is `A` instead of a digit 0 to 9 or a to f",
        ),
        (
            &EXAMPLE.replace("-01", "-+1"),
            Byte {
                at: 53,
                found: b'+',
            },
            "byte 53 of the header `traceparent` is `+` instead of a digit 0 to 9 or a to f",
        ),
        (
            &EXAMPLE.replace("b7a", "b\u{e9}"),
            Byte {
                at: 37,
                found: 0xc3,
            },
            "byte 37 of the header `traceparent` is `\\xc3` instead of a digit 0 to 9 or a to f",
        ),
        (
            &EXAMPLE.replace("00-", "ff-"),
            Version,
            "the version of the header `traceparent` is ff, which is forbidden",
        ),
        (
            &zero_trace,
            ZeroTraceId,
            "the trace id in the header `traceparent` is zero",
        ),
        (
            &zero_span,
            ZeroSpanId,
            "the span id in the header `traceparent` is zero",
        ),
    ] {
        assert_eq!(header.parse::<TraceParent>(), Err(error), "{header}");
        let whole = format!(
            "{says}: start a new trace, and make the caller send 00-<trace id>-<span id>-<flags>"
        );
        assert_eq!(error.to_string(), whole);
    }
}

#[test]
fn blanks_and_tabs_around_it_are_no_part_of_it() {
    let padded = format!("\t {EXAMPLE} \t");
    assert_eq!(padded.parse::<TraceParent>(), EXAMPLE.parse());
    for header in [&b""[..], b" ", b"\xff", &[0xff; 55]] {
        assert!(TraceParent::try_from(header).is_err());
    }
    assert!(format!("{EXAMPLE}\n").parse::<TraceParent>().is_err());
}

#[test]
fn of_no_header_and_of_two_none_is_read() {
    let none = [""; 0];
    let read = |parents: &[&str]| remote_span_context(parents, none);
    assert_eq!(read(&[EXAMPLE]), Ok(example(1)));
    for (parents, error, says) in [
        (
            &[][..],
            Missing,
            "the header `traceparent` is missing: start a new trace",
        ),
        (
            &[EXAMPLE, EXAMPLE],
            Repeated,
            "the header `traceparent` was sent more than once: start a new trace, and make the caller send \
             00-<trace id>-<span id>-<flags>",
        ),
    ] {
        assert_eq!(read(parents), Err(error));
        assert_eq!(error.to_string(), says);
    }
}

/// The recommendation has all of these refused.
#[test]
fn what_the_official_propagator_takes_against_the_recommendation_is_refused() {
    for header in [
        &EXAMPLE.replace("00-", "+0-"),
        &EXAMPLE.replace("00-", "0-"),
        &EXAMPLE.replace("-01", "-1"),
        &EXAMPLE.replace("-01", "-001"),
        &EXAMPLE.replace("0af7651916cd43dd8448eb211c80319c", "1"),
        &EXAMPLE.replace("b7ad6b7169203331", "+1"),
        &format!("{EXAMPLE}-"),
    ] {
        assert!(read(header).is_some(), "{header}");
        assert!(header.parse::<TraceParent>().is_err(), "{header}");
    }
}

proptest! {
    #[test]
    fn whatever_is_read_the_official_propagator_reads_too(
        header in "(00|[0-9a-f]{2})-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(-[a-z0-9-]{0,5})?",
        place in 0_usize..60,
        other in any::<char>(),
    ) {
        same_as_official(&header);
        let mut changed: Vec<char> = header.chars().collect();
        if let Some(place) = changed.get_mut(place) {
            *place = other;
        }
        same_as_official(&changed.into_iter().collect::<String>());
    }

    #[test]
    fn whatever_is_written_the_official_propagator_writes_too(
        trace_id in 1_u128..,
        span_id in 1_u64..,
        is_sampled in any::<bool>(),
    ) {
        let flags = TraceFlags::default().with_sampled(is_sampled);
        let context = SpanContext::new(trace_id.into(), span_id.into(), flags, true, TraceState::NONE);
        let mut headers = HashMap::new();
        let official = Context::new().with_remote_span_context(context.clone());
        TraceContextPropagator::new().inject_context(&official, &mut headers);
        let ours = TraceParent::new(&context).map(|parent| parent.to_string());
        prop_assert_eq!(ours.as_ref(), headers.get(TraceParent::HEADER));
        prop_assert_eq!(ours.and_then(|header| header.parse().ok()).map(TraceParent::into), Some(context));
    }
}
