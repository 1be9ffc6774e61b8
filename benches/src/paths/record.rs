//! What the pipeline does for each span that is encoded already.

use crate::Contest;
use opentelemetry::InstrumentationScope;
use opentelemetry::trace::{SpanContext, SpanId, Status, TraceFlags, TraceId, TraceState};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use zerospan_export::{ExportResponse, Pipeline, Request, Scope, SendError, Transport};
use zerospan_otlp::{SpanRecorder, SpanStart, StaticKey};

/// Spans of one run: they fit the queue.
const SPANS: u64 = 2_000;

/// The peer only copies the spans, one after the other, into a vector.
pub(super) fn encoded_spans() -> Contest {
    let span: Arc<[u8]> = encoded_span().into();
    let copied = Arc::clone(&span);
    let mut bytes = Vec::new();
    let sink = Sink::default();
    let transport = sink.clone();
    let pipeline = Pipeline::builder()
        .with_transport(move || Ok::<_, SendError>(transport.clone()))
        .build()
        .unwrap_or_else(|error| panic!("{error}"));
    let scope = Scope::new(&InstrumentationScope::builder("http-server").build());
    Contest::new(
        SPANS,
        move || {
            bytes.clear();
            for _ in 0..SPANS {
                bytes.extend_from_slice(&copied);
            }
            bytes.clone()
        },
        move || {
            let refused = (0..SPANS)
                .filter(|_| pipeline.record_encoded(&scope, &span).is_err())
                .count();
            let flushed = pipeline.force_flush(Duration::from_secs(60));
            (refused, flushed, sink.take())
        },
        |spans: Vec<u8>, (refused, flushed, requests)| {
            flushed.map_err(|error| error.to_string())?;
            let sent = spans_of(&requests)?;
            if refused == 0 && sent == spans {
                Ok(())
            } else {
                Err(format!(
                    "of {} bytes of spans, {} arrived; {refused} spans were refused",
                    spans.len(),
                    sent.len()
                ))
            }
        },
    )
}

/// A span of four attributes, as the field of the message that holds it.
fn encoded_span() -> Vec<u8> {
    let context = SpanContext::new(
        TraceId::from(0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c),
        SpanId::from(0xb7ad_6b71_6920_3331),
        TraceFlags::SAMPLED,
        false,
        TraceState::default(),
    );
    let start = 1_780_000_000_000_000_000;
    let mut recorder = SpanRecorder::new();
    recorder.begin(&SpanStart::new(&context, "GET /users/{id}", start));
    recorder.set(&StaticKey::new("http.request.method"), "GET");
    recorder.set(&StaticKey::new("http.route"), "/users/{id}");
    recorder.set(&StaticKey::new("http.response.status_code"), 200_i64);
    recorder.set(&StaticKey::new("cache.hit"), true);
    let mut bytes = Vec::new();
    recorder.finish(start + 250_000, &Status::Unset, &mut bytes);
    bytes
}

/// The spans of all requests, encoded again one after the other.
fn spans_of(requests: &[Vec<u8>]) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    for body in requests {
        let request =
            ExportTraceServiceRequest::decode(&body[..]).map_err(|error| error.to_string())?;
        for scope_spans in request
            .resource_spans
            .into_iter()
            .flat_map(|resource| resource.scope_spans)
        {
            for span in scope_spans.spans {
                prost::encoding::message::encode(2, &span, &mut bytes);
            }
        }
    }
    Ok(bytes)
}

/// Keeps what is sent until it is taken.
#[derive(Clone, Debug, Default)]
struct Sink(Arc<Mutex<Vec<Vec<u8>>>>);

impl Sink {
    fn take(&self) -> Vec<Vec<u8>> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Transport for Sink {
    fn send(&mut self, request: &Request<'_>) -> Result<ExportResponse, SendError> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(request.body.to_vec());
        Ok(ExportResponse::ALL)
    }
}
