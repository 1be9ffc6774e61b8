//! Where the bytes of every peer go.

use super::receiver::Receiver;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use opentelemetry_proto::transform::trace::tonic::group_spans_by_resource_and_scope;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use prost::Message;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use zerospan_export::{ExportResponse, Request, SendError, Transport};

/// Where a peer ends.
#[derive(Debug)]
pub(super) enum Sink {
    /// In this process.
    Memory(Memory),
    /// In another.
    Receiver(Receiver),
}

impl Sink {
    /// Spans and bytes since the last time.
    ///
    /// # Errors
    ///
    /// If the receiver does not answer.
    pub(super) fn clear(&mut self) -> Result<(u64, u64), String> {
        match self {
            Self::Memory(memory) => Ok(memory.clear()),
            Self::Receiver(receiver) => receiver.clear(),
        }
    }

    /// Keeps what is sent, up to the next [`kept`](Self::kept).
    pub(super) fn keep(&self) {
        if let Self::Memory(memory) = self {
            *memory.kept() = Some(Vec::new());
        }
    }

    /// The requests since [`keep`](Self::keep).
    ///
    /// # Errors
    ///
    /// If the receiver does not answer.
    pub(super) fn kept(&mut self) -> Result<Vec<Vec<u8>>, String> {
        match self {
            Self::Memory(memory) => Ok(memory.kept().take().unwrap_or_default()),
            Self::Receiver(receiver) => receiver.bodies(),
        }
    }
}

/// Counts what is sent, and keeps it while it is told to.
#[derive(Clone, Debug, Default)]
pub(super) struct Memory(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    spans: AtomicU64,
    bytes: AtomicU64,
    kept: Mutex<Option<Vec<Vec<u8>>>>,
}

impl Memory {
    /// Takes a request of so many spans.
    pub(super) fn take(&self, body: &[u8], spans: u64) {
        self.0.spans.fetch_add(spans, Ordering::Relaxed);
        self.0.bytes.fetch_add(body.len() as u64, Ordering::Relaxed);
        if let Some(kept) = &mut *self.kept() {
            kept.push(body.to_vec());
        }
    }

    fn clear(&self) -> (u64, u64) {
        let take = |count: &AtomicU64| count.swap(0, Ordering::Relaxed);
        (take(&self.0.spans), take(&self.0.bytes))
    }

    fn kept(&self) -> MutexGuard<'_, Option<Vec<Vec<u8>>>> {
        self.0.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the official exporters do up to the bytes: the official transform, then prost.
#[derive(Debug)]
pub(super) struct Exporter {
    memory: Memory,
    resource: ResourceAttributesWithSchema,
}

impl Exporter {
    pub(super) fn new(memory: &Memory) -> Self {
        Self {
            memory: memory.clone(),
            resource: ResourceAttributesWithSchema::default(),
        }
    }
}

impl SpanExporter for Exporter {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len() as u64;
        let resource_spans = group_spans_by_resource_and_scope(batch, &self.resource);
        let request = ExportTraceServiceRequest { resource_spans };
        let mut body = Vec::with_capacity(request.encoded_len());
        request
            .encode(&mut body)
            .map_err(|error| OTelSdkError::InternalFailure(error.to_string()))?;
        self.memory.take(&body, spans);
        Ok(())
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.resource = resource.into();
    }
}

impl Transport for Memory {
    fn send(&mut self, request: &Request<'_>) -> Result<ExportResponse, SendError> {
        self.take(request.body, request.items as u64);
        Ok(ExportResponse::ALL)
    }
}

/// The service of everyone's resource.
pub(super) const SERVICE: &str = "shop";
/// Everyone's scope.
pub(super) const SCOPE: &str = "http-server";

/// Everyone's resource.
pub(super) fn resource() -> Resource {
    Resource::builder_empty().with_service_name(SERVICE).build()
}
