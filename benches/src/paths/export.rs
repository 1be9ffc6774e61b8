//! What our exporter does with a batch of the stock batch processor, on the thread that exports: the row `sdk.exporter`
//! has that thread in the background, where nothing is counted.

use crate::Contest;
use crate::rows::server::{SPANS, spans};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use opentelemetry_proto::transform::trace::tonic::group_spans_by_resource_and_scope;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use prost::Message;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use zerospan_export::{InMemoryTransport, Pipeline};
use zerospan_sdk::OtlpSpanExporter;

/// The peer groups and encodes the batch as the official exporters do.
pub(super) fn batches() -> Contest {
    let spans = spans();
    let memory = InMemoryTransport::new();
    let pipeline = Pipeline::builder()
        .with_transport(memory.clone())
        .without_worker()
        .build()
        .unwrap_or_else(|error| panic!("{error}"));
    let resource = Resource::builder_empty().build();
    let stock = ResourceAttributesWithSchema::from(&resource);
    let mut exporter = OtlpSpanExporter::new(pipeline);
    exporter.set_resource(&resource);
    Contest::with_preparation(
        SPANS,
        move || spans.clone(),
        move |batch: Vec<SpanData>| {
            let resource_spans = group_spans_by_resource_and_scope(batch, &stock);
            ExportTraceServiceRequest { resource_spans }.encode_to_vec()
        },
        move |batch: Vec<SpanData>| (export(&exporter, batch), memory.take()),
        |peer: Vec<u8>, (outcome, requests): (OTelSdkResult, Vec<Vec<u8>>)| {
            outcome.map_err(|error| error.to_string())?;
            if requests == [peer] {
                Ok(())
            } else {
                Err("the two requests are written differently".to_owned())
            }
        },
    )
}

/// Exports at once: our exporter waits for nobody but its transport.
fn export(exporter: &OtlpSpanExporter, batch: Vec<SpanData>) -> OTelSdkResult {
    let mut exported = pin!(exporter.export(batch));
    match exported
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
    {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => unreachable!("the exporter blocks in place of waiting"),
    }
}
