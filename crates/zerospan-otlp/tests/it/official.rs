//! The encoded bytes equal those that prost writes for the official transform's message.

use crate::spans;
use opentelemetry::InstrumentationScope;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::{ScopeSpans, Span};
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use opentelemetry_proto::transform::trace::tonic::group_spans_by_resource_and_scope;
use opentelemetry_sdk::trace::SpanData;
use proptest::collection::vec;
use proptest::prelude::*;
use prost::Message;
use std::time::{Duration, SystemTime};
use zerospan_core::Footprint;
use zerospan_otlp::{
    BatchEncoder, EncodedResource, EncodedScope, encode_request, encode_span_data, request_len,
    unix_nanos,
};

/// Returns the official transform's message.
pub(crate) fn official(span: &SpanData) -> Span {
    Span::from(span.clone())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn a_span_equals_that_of_the_official_transform_byte_for_byte(span in spans::span()) {
        let mut ours = vec![];
        encode_span_data(&span, &mut ours);
        let theirs = official(&span);
        let decoded = ScopeSpans::decode(ours.as_slice()).map_err(|e| TestCaseError::fail(e.to_string()))?;
        prop_assert_eq!(&decoded.spans, &vec![theirs]);
        prop_assert_eq!(decoded.encode_to_vec(), ours);
    }

    #[test]
    fn a_request_equals_that_of_the_official_grouping_byte_for_byte(
        (scopes, spans) in vec(spans::scope(), 1..4).prop_flat_map(|scopes| {
            let spans = vec(spans::span_of(scopes.clone()), 0..6);
            (Just(scopes), spans)
        }),
        resource in spans::resource(),
    ) {
        // Scopes in the order in which the spans first name them.
        let mut order: Vec<&InstrumentationScope> = Vec::new();
        for span in &spans {
            if !order.contains(&&span.instrumentation_scope) {
                order.push(&span.instrumentation_scope);
            }
        }
        prop_assert!(order.len() <= scopes.len());
        let groups: Vec<(EncodedScope, Vec<Vec<u8>>)> = order
            .iter()
            .map(|scope| {
                let of_scope = spans.iter().filter(|span| span.instrumentation_scope == **scope);
                let fields = of_scope.map(|span| {
                    let mut field = Vec::new();
                    encode_span_data(span, &mut field);
                    field
                });
                (EncodedScope::new(scope), fields.collect())
            })
            .collect();
        let groups = groups
            .iter()
            .map(|(scope, fields)| (scope, fields.iter().map(Vec::as_slice)));
        let encoded = EncodedResource::from_sdk(&resource);
        let mut ours = b"before".to_vec();
        encode_request(&encoded, groups.clone(), &mut ours);
        prop_assert_eq!(request_len(&encoded, groups), ours.len() - 6);

        let expected = ExportTraceServiceRequest {
            resource_spans: group_spans_by_resource_and_scope(
                spans.clone(),
                &ResourceAttributesWithSchema::from(&resource),
            ),
        };
        prop_assert_eq!(&ExportTraceServiceRequest::decode(&ours[6..])?, &expected);
        prop_assert_eq!(&expected.encode_to_vec(), &ours[6..]);

        let mut encoder = BatchEncoder::new();
        for _ in 0..2 {
            let mut batch = b"before".to_vec();
            encoder.encode(&encoded, &spans, &mut batch);
            prop_assert_eq!(&batch, &ours);
        }
        // Four bytes for each span, and two numbers for each scope, where there are several.
        let (of_spans, of_scopes) = (4 * spans.len(), 16 * order.len());
        let least = if order.len() > 1 { of_spans + of_scopes } else { 0 };
        let most = of_spans.max(16) + (2 * of_scopes).max(64);
        prop_assert!((least..=most).contains(&encoder.heap_bytes()));
    }
}

/// The official transform wraps a time after 2554 around to 1970.
#[test]
fn a_time_that_does_not_fit_is_written_as_the_latest_that_does() {
    let latest = SystemTime::UNIX_EPOCH + Duration::from_nanos(u64::MAX);
    for (time, nanos) in [
        (SystemTime::UNIX_EPOCH - Duration::from_nanos(1), 0),
        (SystemTime::UNIX_EPOCH, 0),
        (latest, u64::MAX),
        (latest + Duration::from_nanos(1), u64::MAX),
        (latest + Duration::from_secs(40_000_000_000), u64::MAX),
    ] {
        assert_eq!(unix_nanos(time), nanos);
    }
}
