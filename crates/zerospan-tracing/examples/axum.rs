//! Two axum services with `TraceLayer`. Each takes the parent of its spans from `traceparent`, and the shop passes its span on
//! to the stock with a hyper client.
//!
//! `cargo run -p zerospan-tracing --example axum` sends three spans to a collector at `http://localhost:4318`.

#![allow(clippy::print_stdout)]

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::response::Response;
use axum::{Router, routing::get};
use http_body_util::{BodyExt, Empty};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use opentelemetry::global;
use opentelemetry_http::{HeaderExtractor, HeaderInjector};
use std::net::SocketAddr;
use std::time::Duration;
use tower_http::trace::TraceLayer;
use tracing::{Span, field, info_span, instrument};
use zerospan_tracing::OpenTelemetrySpanExt;

type Error = Box<dyn std::error::Error + Send + Sync>;
type HttpClient = Client<HttpConnector, Empty<axum::body::Bytes>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let guard = zerospan_tracing::init()?;

    let client: HttpClient = Client::builder(TokioExecutor::new()).build_http();
    let stock = serve(Router::new().route("/stock/{item}", get(|| async { "7" }))).await?;
    let shop = Router::new().route("/cart", get(cart));
    let shop = serve(shop.with_state((client.clone(), stock))).await?;

    let request = Request::get(format!("http://{shop}/cart"));
    let caller = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let request = request.header("traceparent", caller).body(Empty::new())?;
    let body = client.request(request).await?.into_body().collect().await?;
    println!("{}", String::from_utf8_lossy(&body.to_bytes()));

    Ok(guard.shutdown()?)
}

/// Answers with the trace that it is part of, and with what is in stock.
async fn cart(State((client, stock)): State<(HttpClient, SocketAddr)>) -> String {
    let trace = Span::current().span_context().trace_id();
    match in_stock(&client, stock, "lamp").await {
        Ok(lamps) => format!("{lamps} lamps, trace {trace}"),
        Err(error) => format!("no answer: {error}, trace {trace}"),
    }
}

#[instrument(skip_all, fields(otel.kind = "client", http.request.method = "GET", shop.item = item), err)]
async fn in_stock(client: &HttpClient, stock: SocketAddr, item: &str) -> Result<String, Error> {
    let mut request = Request::get(format!("http://{stock}/stock/{item}")).body(Empty::new())?;
    let context = Span::current().context();
    global::get_text_map_propagator(|propagator| {
        propagator.inject_context(&context, &mut HeaderInjector(request.headers_mut()));
    });
    let body = client.request(request).await?.into_body().collect().await?;
    Ok(String::from_utf8_lossy(&body.to_bytes()).into_owned())
}

/// Serves on a free port, with a span for each request.
async fn serve(router: Router) -> Result<SocketAddr, Error> {
    let layer = TraceLayer::new_for_http()
        .make_span_with(server_span)
        .on_response(|response: &Response<_>, _: Duration, span: &Span| {
            span.record("http.response.status_code", response.status().as_u16());
        });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(axum::serve(listener, router.layer(layer)).into_future());
    Ok(address)
}

fn server_span(request: &Request<Body>) -> Span {
    let route = request.extensions().get::<MatchedPath>();
    let route = route.map_or("", MatchedPath::as_str);
    let span = info_span!(
        "request",
        otel.name = format_args!("{} {route}", request.method()),
        otel.kind = "server",
        http.request.method = request.method().as_str(),
        http.route = route,
        http.response.status_code = field::Empty,
    );
    let parent = global::get_text_map_propagator(|propagator| {
        propagator.extract(&HeaderExtractor(request.headers()))
    });
    // A span that a filter hides has no parent.
    let _ = span.set_parent(parent);
    span
}
