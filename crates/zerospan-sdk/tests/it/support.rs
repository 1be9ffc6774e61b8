//! Decodes requests with the official messages, and converts spans with the official transform.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::ResourceSpans;
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use opentelemetry_proto::transform::trace::tonic::group_spans_by_resource_and_scope;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SpanData;
use prost::Message;
use zerospan_export::{InMemoryTransport, Pipeline};

pub(crate) fn in_memory() -> (InMemoryTransport, Pipeline) {
    let memory = InMemoryTransport::new();
    let pipeline = Pipeline::builder()
        .with_transport(memory.clone())
        .build()
        .unwrap();
    (memory, pipeline)
}

/// Builds the pipeline that the exporter recommends.
pub(crate) fn in_memory_without_worker() -> (InMemoryTransport, Pipeline) {
    let memory = InMemoryTransport::new();
    let builder = Pipeline::builder().with_transport(memory.clone());
    (memory, builder.without_worker().build().unwrap())
}

pub(crate) fn decode(requests: &[Vec<u8>]) -> Vec<ResourceSpans> {
    requests
        .iter()
        .flat_map(|request| {
            ExportTraceServiceRequest::decode(request.as_slice())
                .unwrap()
                .resource_spans
        })
        .collect()
}

pub(crate) fn names(requests: &[Vec<u8>]) -> Vec<String> {
    decode(requests)
        .into_iter()
        .flat_map(|resource| resource.scope_spans)
        .flat_map(|scope| scope.spans)
        .map(|span| span.name)
        .collect()
}

/// Converts `spans` with the official transform.
pub(crate) fn official(spans: Vec<SpanData>, resource: &Resource) -> Vec<ResourceSpans> {
    group_spans_by_resource_and_scope(spans, &ResourceAttributesWithSchema::from(resource))
}

/// Sorts the scopes and spans, which the official grouping leaves unordered.
pub(crate) fn sorted(mut resources: Vec<ResourceSpans>) -> Vec<ResourceSpans> {
    for resource in &mut resources {
        if let Some(resource) = &mut resource.resource {
            resource
                .attributes
                .sort_by(|one, other| one.key.cmp(&other.key));
        }
        resource
            .scope_spans
            .sort_by_key(|scope| scope.scope.clone().map(|scope| scope.name));
        for scope in &mut resource.scope_spans {
            scope
                .spans
                .sort_by(|one, other| one.span_id.cmp(&other.span_id));
        }
    }
    resources
}
