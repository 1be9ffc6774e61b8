//! What we write is, byte for byte, what prost makes of the official transform's message.

use crate::spans;
use opentelemetry::InstrumentationScope;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::{ScopeSpans, Span};
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use opentelemetry_proto::transform::trace::tonic::group_spans_by_resource_and_scope;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SpanData;
use proptest::prelude::*;
use prost::Message;
use zerospan_otlp::{EncodedResource, EncodedScope, encode_request, encode_span_data, request_len};

/// The official transform's message.
pub(crate) fn official(span: &SpanData) -> Span {
    Span::from(span.clone())
}

proptest! {
    #[test]
    fn a_span_is_the_official_transforms_byte_for_byte(span in spans::span()) {
        let mut ours = vec![];
        encode_span_data(&span, &mut ours);
        let theirs = official(&span);
        let decoded = ScopeSpans::decode(ours.as_slice()).map_err(|e| TestCaseError::fail(e.to_string()))?;
        prop_assert_eq!(&decoded.spans, &vec![theirs]);
        prop_assert_eq!(decoded.encode_to_vec(), ours);
    }
}
