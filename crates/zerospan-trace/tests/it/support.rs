//! A provider that exports into memory, and its decoded spans.

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use zerospan_export::{InMemoryTransport, Pipeline};
use zerospan_trace::{Tracer, TracerProvider, TracerProviderBuilder};

pub(crate) fn builder() -> TracerProviderBuilder {
    TracerProvider::builder()
}

pub(crate) struct Rig {
    pub(crate) provider: TracerProvider,
    pub(crate) tracer: Tracer,
    memory: InMemoryTransport,
}

impl Rig {
    pub(crate) fn new() -> Self {
        Self::with(|builder| builder)
    }

    pub(crate) fn with(setup: impl FnOnce(TracerProviderBuilder) -> TracerProviderBuilder) -> Self {
        Self::from_builder(setup(builder()))
    }

    pub(crate) fn from_vars(lookup: impl Fn(&str) -> Option<String>) -> Self {
        Self::from_builder(TracerProviderBuilder::from_vars(lookup).0)
    }

    pub(crate) fn from_builder(builder: TracerProviderBuilder) -> Self {
        let (pipeline, memory) = pipeline();
        let provider = builder.with_exporter(pipeline).build();
        Self {
            tracer: provider.tracer("test"),
            provider,
            memory,
        }
    }

    /// Flushes, and returns the spans exported since the last call, in order of arrival.
    pub(crate) fn spans(&self) -> Vec<Span> {
        // After the shutdown there is nothing left to flush.
        let _ = self.provider.force_flush();
        spans(&self.memory)
    }

    pub(crate) fn only_span(&self) -> Span {
        let spans = self.spans();
        assert_eq!(spans.len(), 1, "{spans:#?}");
        spans.into_iter().next().expect("one span")
    }

    /// Flushes, and returns the requests sent since the last call.
    pub(crate) fn requests(&self) -> Vec<Vec<u8>> {
        let _ = self.provider.force_flush();
        self.memory.take()
    }
}

pub(crate) fn pipeline() -> (Pipeline, InMemoryTransport) {
    let memory = InMemoryTransport::new();
    let pipeline = Pipeline::builder()
        .with_transport(memory.clone())
        .build()
        .expect("the defaults are valid");
    (pipeline, memory)
}

pub(crate) fn spans(memory: &InMemoryTransport) -> Vec<Span> {
    decode(&memory.take())
}

pub(crate) fn decode(requests: &[Vec<u8>]) -> Vec<Span> {
    requests
        .iter()
        .flat_map(|body| {
            ExportTraceServiceRequest::decode(&**body)
                .expect("canonical protobuf")
                .resource_spans
        })
        .flat_map(|resource| resource.scope_spans)
        .flat_map(|scope| scope.spans)
        .collect()
}

pub(crate) fn resource(requests: &[Vec<u8>]) -> Resource {
    let request = ExportTraceServiceRequest::decode(&*requests[0]).expect("canonical protobuf");
    request.resource_spans[0]
        .resource
        .clone()
        .expect("a resource")
}

/// Returns an attribute's value as text, or an empty text if there is none.
pub(crate) fn value(attributes: &[KeyValue], key: &str) -> String {
    let found = attributes.iter().find(|attribute| attribute.key == key);
    text(found.and_then(|attribute| attribute.value.as_ref()))
}

fn text(value: Option<&AnyValue>) -> String {
    use any_value::Value::{
        ArrayValue, BoolValue, BytesValue, DoubleValue, IntValue, KvlistValue, StringValue,
        StringValueStrindex,
    };
    match value.and_then(|value| value.value.as_ref()) {
        Some(StringValue(text)) => text.clone(),
        Some(BoolValue(value)) => value.to_string(),
        Some(IntValue(value)) => value.to_string(),
        Some(DoubleValue(value)) => value.to_string(),
        Some(ArrayValue(array)) => {
            let values: Vec<String> = array.values.iter().map(|value| text(Some(value))).collect();
            values.join(",")
        }
        Some(KvlistValue(_) | BytesValue(_) | StringValueStrindex(_)) | None => String::new(),
    }
}
