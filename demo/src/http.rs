//! The HTTP client and server of the demo.

use anyhow::Context as _;
use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use std::net::{Ipv4Addr, SocketAddr};
use tokio::net::TcpListener;

/// Reuses its connections.
pub(crate) type Client = hyper_util::client::legacy::Client<HttpConnector, Full<Bytes>>;

pub(crate) type Response = (StatusCode, String);

pub(crate) fn client() -> Client {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    hyper_util::client::legacy::Client::builder(TokioExecutor::new()).build(connector)
}

/// Returns a request with room for headers. The client adds one on every side: growing the map for it is not a cost of tracing.
pub(crate) fn get(to: SocketAddr, path: &str) -> anyhow::Result<Request<Full<Bytes>>> {
    let mut request = Request::get(format!("http://{to}{path}")).body(Full::default())?;
    request.headers_mut().reserve(3);
    Ok(request)
}

/// Sends the request and reads the whole response.
pub(crate) async fn send(
    client: &Client,
    request: Request<Full<Bytes>>,
) -> anyhow::Result<Response> {
    let url = request.uri().clone();
    let response = async {
        let response = client.request(request).await?;
        let status = response.status();
        let body = Body::new(response.into_body()).collect().await?.to_bytes();
        anyhow::Ok((status, String::from_utf8_lossy(&body).into_owned()))
    };
    response
        .await
        .with_context(|| format!("no response from {url}"))
}

/// Serves on a free port of the loopback interface for as long as the runtime lives.
pub(crate) async fn serve(router: Router) -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context(
        "cannot listen on 127.0.0.1: the demo needs the loopback interface and a free port",
    )?;
    let address = listener.local_addr()?;
    // Otherwise small responses wait for an acknowledgement.
    let listener = axum::serve::ListenerExt::tap_io(listener, |stream| {
        // A failure only costs time.
        let _ = stream.set_nodelay(true);
    });
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(address)
}
