//! The built-in receiver of OTLP/HTTP. It stores requests, and decodes them after the measurement.

use crate::arguments::{Export, Protocol, Side};
use crate::http;
use crate::logs::{self, LogRecord};
use crate::trace::{self, Span};
use anyhow::Context;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

#[derive(Debug)]
pub(crate) struct Receiver {
    address: SocketAddr,
    requests: Arc<Requests>,
    log_requests: Arc<Requests>,
}

/// Messages, each with the side that sent it.
type Requests = Mutex<Vec<(String, Bytes)>>;

impl Receiver {
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let requests = Arc::new(Requests::default());
        let log_requests = Arc::new(Requests::default());
        let route = |path, requests: &Arc<Requests>| {
            Router::new()
                .route(path, routing::post(receive))
                .layer(DefaultBodyLimit::max(64 << 20))
                .with_state(Arc::clone(requests))
        };
        let router =
            route("/{side}/v1/traces", &requests).merge(route("/{side}/v1/logs", &log_requests));
        Ok(Self {
            address: http::serve(router).await?,
            requests,
            log_requests,
        })
    }

    /// Returns the destination for the spans of `side`.
    pub(crate) fn export(&self, side: Side) -> Export {
        Export {
            endpoint: format!("http://{}/{}/v1/traces", self.address, side.name()),
            protocol: Protocol::Http,
            logs_endpoint: None,
        }
    }

    /// Returns the destination for the spans and the log records of `side`.
    pub(crate) fn export_with_logs(&self, side: Side) -> Export {
        Export {
            logs_endpoint: Some(format!("http://{}/{}/v1/logs", self.address, side.name())),
            ..self.export(side)
        }
    }

    /// Forgets the requests of `side`, and returns their number.
    pub(crate) fn forget(&self, side: Side) -> usize {
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        let of_side = requests.extract_if(.., |(from, _)| from == side.name());
        of_side.count()
    }

    /// Removes and returns the spans that `side` sent.
    ///
    /// # Errors
    ///
    /// If a request was not an `ExportTraceServiceRequest`.
    pub(crate) fn take(&self, side: Side) -> anyhow::Result<Vec<Span>> {
        let requests: Vec<ExportTraceServiceRequest> = take(&self.requests, side)?;
        Ok(requests.into_iter().flat_map(trace::spans).collect())
    }

    /// Removes and returns the log records that `side` sent.
    ///
    /// # Errors
    ///
    /// If a request was not an `ExportLogsServiceRequest`.
    pub(crate) fn take_logs(&self, side: Side) -> anyhow::Result<Vec<LogRecord>> {
        let requests: Vec<ExportLogsServiceRequest> = take(&self.log_requests, side)?;
        Ok(requests.into_iter().flat_map(logs::records).collect())
    }
}

fn take<M: Message + Default>(requests: &Requests, side: Side) -> anyhow::Result<Vec<M>> {
    let mut requests = requests.lock().unwrap_or_else(PoisonError::into_inner);
    requests
        .extract_if(.., |(from, _)| from == side.name())
        .map(|(from, body)| {
            M::decode(body)
                .with_context(|| format!("the side {from} sent a request that is not OTLP"))
        })
        .collect()
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
