//! The three services as most are written: axum with `TraceLayer`, and functions with `#[instrument]`.
//!
//! All sides run this code. They differ in the subscriber, which the side without tracing lacks.

use crate::http::{Client, Response, client, get, send};
use crate::services::logic::{self, Catalog, NoPrice, discount, list_price, reduced};
use crate::services::propagation::instrumented::Propagation;
use crate::services::{Peers, Service};
use axum::Router;
use axum::body::Body;
use axum::extract::{MatchedPath, Path, State};
use axum::http::{self, Request, StatusCode};
use axum::routing;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tower_http::trace::TraceLayer;
use tracing::field::Empty;
use tracing::{Span, instrument};

struct Storefront {
    client: Client,
    peers: Peers,
    propagation: Propagation,
}

pub(crate) fn router(
    service: Service,
    peers: Peers,
    propagation: Propagation,
) -> anyhow::Result<Router> {
    let router = match service {
        Service::Storefront => {
            let state = Storefront {
                client: client(),
                peers,
                propagation,
            };
            Router::new()
                .route("/offers/{id}", routing::get(make_offer))
                .with_state(Arc::new(state))
        }
        Service::Catalog => Router::new()
            .route("/products/{id}", routing::get(product))
            .with_state(Arc::new(Catalog::open()?)),
        Service::Pricing => Router::new().route("/prices/{id}", routing::get(price)),
    };
    let layer = TraceLayer::new_for_http()
        .make_span_with(move |request: &Request<Body>| server_span(request, propagation))
        .on_response(|response: &http::Response<_>, _: Duration, span: &Span| {
            span.record("http.response.status_code", response.status().as_u16());
        });
    Ok(router.layer(layer))
}

/// Starts the span of an incoming request: a child of the caller's span, if the headers name one.
fn server_span(request: &Request<Body>, propagation: Propagation) -> Span {
    let route = request.extensions().get::<MatchedPath>();
    let route = route.map_or("", MatchedPath::as_str);
    let span = tracing::info_span!(
        "HTTP request",
        otel.name = format_args!("{} {route}", request.method()),
        otel.kind = "server",
        http.request.method = request.method().as_str(),
        http.route = route,
        url.path = request.uri().path(),
        http.response.status_code = Empty,
    );
    (propagation.accept)(request.headers(), &span);
    span
}

async fn make_offer(State(storefront): State<Arc<Storefront>>, Path(id): Path<u64>) -> Response {
    match storefront.offer(id).await {
        Ok(offer) => (StatusCode::OK, offer),
        Err(error) => (StatusCode::BAD_GATEWAY, format!("{error:#}")),
    }
}

impl Storefront {
    async fn offer(&self, id: u64) -> anyhow::Result<String> {
        let Peers { catalog, pricing } = self.peers;
        let name = self
            .call("GET catalog", catalog, &format!("/products/{id}"))
            .await?;
        let cents = self
            .call("GET pricing", pricing, &format!("/prices/{id}"))
            .await?;
        Ok(render_offer(&name, &cents))
    }

    #[instrument(
        skip_all,
        fields(
            otel.name = name,
            otel.kind = "client",
            http.request.method = "GET",
            server.address = "127.0.0.1",
            server.port = to.port(),
            url.full = format_args!("http://{to}{path}"),
            http.response.status_code = Empty,
        ),
        err
    )]
    async fn call(&self, name: &'static str, to: SocketAddr, path: &str) -> anyhow::Result<String> {
        let mut request = get(to, path)?;
        (self.propagation.pass_on)(&Span::current(), request.headers_mut());
        let (status, text) = send(&self.client, request).await?;
        Span::current().record("http.response.status_code", status.as_u16());
        tracing::debug!(bytes = text.len(), "answered");
        anyhow::ensure!(status.is_success(), "{path}: {status}: {text}");
        Ok(text)
    }
}

#[instrument(name = "render offer", skip_all, fields(shop.offer.bytes = Empty))]
fn render_offer(name: &str, cents: &str) -> String {
    let offer = logic::offer(name, cents);
    Span::current().record("shop.offer.bytes", offer.len());
    tracing::debug!(price = cents, "offer rendered");
    offer
}

async fn product(State(catalog): State<Arc<Catalog>>, Path(id): Path<u64>) -> Response {
    match find(&catalog, id) {
        Ok(Some(name)) => (StatusCode::OK, name),
        Ok(None) => (StatusCode::NOT_FOUND, format!("no product has the id {id}")),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
    }
}

#[instrument(
    name = "SELECT products",
    skip_all,
    fields(
        otel.kind = "client",
        db.system.name = "sqlite",
        db.collection.name = "products",
        db.operation.name = "SELECT",
        db.query.text = Catalog::QUERY,
        shop.product.id = id,
    ),
    err
)]
fn find(catalog: &Catalog, id: u64) -> rusqlite::Result<Option<String>> {
    let found = catalog.describe(id)?;
    tracing::debug!(exists = found.is_some(), "catalog searched");
    Ok(found)
}

async fn price(Path(id): Path<u64>) -> Response {
    match reduced_price(id) {
        Ok(cents) => (StatusCode::OK, cents.to_string()),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
    }
}

#[instrument(name = "apply discount", fields(shop.price.cents = Empty), err)]
fn reduced_price(id: u64) -> Result<u64, NoPrice> {
    let cents = list_price(id)?;
    let percent = discount(id);
    tracing::info!(shop.discount.percent = percent, "discount found");
    let cents = reduced(cents, percent);
    Span::current().record("shop.price.cents", cents);
    Ok(cents)
}
