//! An axum service, each of whose requests is a span: a child of the caller's, and the parent of what the handler starts.
//!
//! `cargo run -p zerospan --features trace --example axum_middleware`

use axum::{Router, extract, middleware, response::Response, routing::get};
use opentelemetry::trace::{SpanKind, TracerProvider as _};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use zerospan::export::{InMemoryTransport, Pipeline};
use zerospan::trace::{
    FutureExt, StaticKey, TraceParent, Tracer, TracerProvider, current_span_context,
    remote_span_context,
};

const STATUS: StaticKey = StaticKey::new("http.response.status_code");
const CALL: &[u8] = b"GET / HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n\
    traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n\r\n";

async fn traced(
    tracer: extract::State<Tracer>,
    request: extract::Request,
    next: middleware::Next,
) -> Response {
    let headers = request.headers();
    // Without headers that can be read a new trace begins.
    let parent = remote_span_context(
        headers.get_all(TraceParent::HEADER),
        headers.get_all(TraceParent::STATE_HEADER),
    )
    .ok();
    let mut span = tracer.span("GET").with_kind(SpanKind::Server);
    if let Some(parent) = &parent {
        span = span.with_parent(parent);
    }
    let mut span = span.start();
    let response = next.run(request).in_span(&span).await;
    span.set(&STATUS, i64::from(response.status().as_u16()));
    response
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let pipeline = Pipeline::builder().with_transport(InMemoryTransport::new());
    let provider = TracerProvider::builder().with_exporter(pipeline.build()?);
    let provider = provider.build();
    let handler = || async { current_span_context().trace_id().to_string() };
    let layer = middleware::from_fn_with_state(provider.tracer("shop"), traced);
    let service = Router::new().route("/", get(handler)).layer(layer);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let mut client = tokio::net::TcpStream::connect(listener.local_addr()?).await?;
    tokio::spawn(axum::serve(listener, service).into_future());

    client.write_all(CALL).await?;
    let mut answer = String::new();
    client.read_to_string(&mut answer).await?;
    assert!(answer.ends_with("0af7651916cd43dd8448eb211c80319c"));
    Ok(provider.shutdown()?)
}
