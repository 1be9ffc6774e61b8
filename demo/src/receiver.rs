//! The built-in receiver of OTLP/HTTP. It stores requests, and decodes them after the measurement.

use crate::arguments::{Export, Protocol, Side};
use crate::http;
use crate::trace::{self, Span};
use anyhow::Context;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

#[derive(Debug)]
pub(crate) struct Receiver {
    address: SocketAddr,
    requests: Arc<Requests>,
}

/// Messages, each with the side that sent it.
type Requests = Mutex<Vec<(String, Bytes)>>;

impl Receiver {
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let requests = Arc::new(Requests::default());
        let router = Router::new()
            .route("/{side}/v1/traces", routing::post(receive))
            .layer(DefaultBodyLimit::max(64 << 20))
            .with_state(Arc::clone(&requests));
        Ok(Self {
            address: http::serve(router).await?,
            requests,
        })
    }

    /// Returns the destination for the spans of `side`.
    pub(crate) fn export(&self, side: Side) -> Export {
        Export {
            endpoint: format!("http://{}/{}/v1/traces", self.address, side.name()),
            protocol: Protocol::Http,
        }
    }

    /// Removes and returns the spans that `side` sent.
    ///
    /// # Errors
    ///
    /// If a request was not an `ExportTraceServiceRequest`.
    pub(crate) fn take(&self, side: Side) -> anyhow::Result<Vec<Span>> {
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        let mut spans = Vec::new();
        for (from, body) in requests.extract_if(.., |(from, _)| from == side.name()) {
            let request = ExportTraceServiceRequest::decode(body)
                .with_context(|| format!("the side {from} sent a request that is not OTLP"))?;
            spans.extend(trace::spans(request));
        }
        Ok(spans)
    }
}

async fn receive(
    State(requests): State<Arc<Requests>>,
    Path(side): Path<String>,
    body: Bytes,
) -> impl IntoResponse {
    requests
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push((side, body));
    // An empty `ExportTraceServiceResponse`: everything is accepted.
    (
        StatusCode::OK,
        [(header::CONTENT_TYPE, "application/x-protobuf")],
        Bytes::new(),
    )
}
