//! The three services, traced by zerospan with constant keys, borrowed values and futures in spans.

use crate::http::{Client, Response, client, get, send};
use crate::services::logic::{Catalog, NoPrice, discount, list_price, offer, reduced};
use crate::services::propagation::zerospan::{Caller, inject};
use crate::services::{Peers, Service};
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing;
use opentelemetry::trace::{Span as _, SpanContext, SpanKind};
use std::net::SocketAddr;
use std::sync::Arc;
use zerospan_trace::{FutureExt, Span, StaticKey, Tracer};

const METHOD: StaticKey = StaticKey::new("http.request.method");
const ROUTE: StaticKey = StaticKey::new("http.route");
const STATUS: StaticKey = StaticKey::new("http.response.status_code");
const PATH: StaticKey = StaticKey::new("url.path");
const URL: StaticKey = StaticKey::new("url.full");
const ADDRESS: StaticKey = StaticKey::new("server.address");
const PORT: StaticKey = StaticKey::new("server.port");
const DATABASE: StaticKey = StaticKey::new("db.system.name");
const TABLE: StaticKey = StaticKey::new("db.collection.name");
const OPERATION: StaticKey = StaticKey::new("db.operation.name");
const QUERY: StaticKey = StaticKey::new("db.query.text");
const PRODUCT: StaticKey = StaticKey::new("shop.product.id");
const CENTS: StaticKey = StaticKey::new("shop.price.cents");
const PERCENT: StaticKey = StaticKey::new("shop.discount.percent");
const BYTES: StaticKey = StaticKey::new("shop.offer.bytes");

struct Storefront {
    tracer: Tracer,
    client: Client,
    peers: Peers,
}

struct CatalogService {
    tracer: Tracer,
    catalog: Catalog,
}

struct Pricing {
    tracer: Tracer,
}

pub(crate) fn router(service: Service, peers: Peers, tracer: Tracer) -> anyhow::Result<Router> {
    Ok(match service {
        Service::Storefront => {
            let client = client();
            let state = Storefront {
                tracer,
                client,
                peers,
            };
            Router::new()
                .route("/offers/{id}", routing::get(make_offer))
                .with_state(Arc::new(state))
        }
        Service::Catalog => {
            let catalog = Catalog::open()?;
            Router::new()
                .route("/products/{id}", routing::get(product))
                .with_state(Arc::new(CatalogService { tracer, catalog }))
        }
        Service::Pricing => Router::new()
            .route("/prices/{id}", routing::get(price))
            .with_state(Arc::new(Pricing { tracer })),
    })
}

/// Starts the span of an incoming request: a child of the caller's span, if the headers name one.
fn server_span(
    tracer: &Tracer,
    name: &'static str,
    route: &str,
    caller: Option<&SpanContext>,
    id: u64,
) -> Span {
    let mut span = tracer.span(name).with_kind(SpanKind::Server);
    if let Some(caller) = caller {
        span = span.with_parent(caller);
    }
    let mut span = span.start();
    span.set(&METHOD, "GET");
    span.set(&ROUTE, route);
    span.set(&PRODUCT, id as i64);
    span
}

/// Ends the span of a request with its response.
fn end_with(mut span: Span, response: &Response) {
    let (status, text) = response;
    span.set(&STATUS, i64::from(status.as_u16()));
    if status.is_server_error() {
        span.set_error(text);
    }
}

async fn make_offer(
    State(storefront): State<Arc<Storefront>>,
    Path(id): Path<u64>,
    Caller(caller): Caller,
) -> Response {
    let span = server_span(
        &storefront.tracer,
        "GET /offers/{id}",
        "/offers/{id}",
        caller.as_ref(),
        id,
    );
    let response = match storefront.offer(id).in_span(&span).await {
        Ok(offer) => (StatusCode::OK, offer),
        Err(error) => (StatusCode::BAD_GATEWAY, format!("{error:#}")),
    };
    end_with(span, &response);
    response
}

impl Storefront {
    async fn offer(&self, id: u64) -> anyhow::Result<String> {
        let name = self
            .call(
                "GET catalog",
                self.peers.catalog,
                &format!("/products/{id}"),
            )
            .await?;
        let cents = self
            .call("GET pricing", self.peers.pricing, &format!("/prices/{id}"))
            .await?;

        let mut span = self.tracer.span("render offer").start();
        let offer = offer(&name, &cents);
        span.set(&BYTES, offer.len() as i64);
        Ok(offer)
    }

    async fn call(&self, name: &'static str, to: SocketAddr, path: &str) -> anyhow::Result<String> {
        let mut span = self.tracer.span(name).with_kind(SpanKind::Client).start();
        span.set(&METHOD, "GET");
        span.set(&ADDRESS, "127.0.0.1");
        span.set(&PORT, i64::from(to.port()));
        span.set(&PATH, path);
        span.set_fmt(&URL, format_args!("http://{to}{path}"));

        let mut request = get(to, path)?;
        inject(request.headers_mut(), span.span_context());
        let response = send(&self.client, request).in_span(&span).await;
        let (status, text) = response.inspect_err(|error| {
            span.set_error_fmt(format_args!("{error:#}"));
        })?;
        span.set(&STATUS, i64::from(status.as_u16()));
        if !status.is_success() {
            span.set_error(&text);
            anyhow::bail!("{path}: {status}: {text}");
        }
        Ok(text)
    }
}

async fn product(
    State(service): State<Arc<CatalogService>>,
    Path(id): Path<u64>,
    Caller(caller): Caller,
) -> Response {
    let span = server_span(
        &service.tracer,
        "GET /products/{id}",
        "/products/{id}",
        caller.as_ref(),
        id,
    );
    let response = match service.find(id).in_span(&span).await {
        Ok(Some(name)) => (StatusCode::OK, name),
        Ok(None) => (StatusCode::NOT_FOUND, format!("no product has the id {id}")),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
    };
    end_with(span, &response);
    response
}

impl CatalogService {
    async fn find(&self, id: u64) -> rusqlite::Result<Option<String>> {
        let mut span = self
            .tracer
            .span("SELECT products")
            .with_kind(SpanKind::Client)
            .start();
        span.set(&DATABASE, "sqlite");
        span.set(&TABLE, "products");
        span.set(&OPERATION, "SELECT");
        span.set(&QUERY, Catalog::QUERY);
        span.set(&PRODUCT, id as i64);
        let found = self.catalog.describe(id);
        if let Err(error) = &found {
            span.record_error(error);
            span.set_error_fmt(format_args!("{error}"));
        }
        found
    }
}

async fn price(
    State(pricing): State<Arc<Pricing>>,
    Path(id): Path<u64>,
    Caller(caller): Caller,
) -> Response {
    let span = server_span(
        &pricing.tracer,
        "GET /prices/{id}",
        "/prices/{id}",
        caller.as_ref(),
        id,
    );
    let response = match pricing.price(id).in_span(&span).await {
        Ok(cents) => (StatusCode::OK, cents.to_string()),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
    };
    end_with(span, &response);
    response
}

impl Pricing {
    async fn price(&self, id: u64) -> Result<u64, NoPrice> {
        let mut span = self.tracer.span("apply discount").start();
        let cents = list_price(id).inspect_err(|error| {
            span.record_error(error);
            span.set_error_fmt(format_args!("{error}"));
        })?;
        let percent = discount(id);
        span.event_with("discount found", |event| {
            event.set(&PERCENT, percent as i64);
        });
        let cents = reduced(cents, percent);
        span.set(&CENTS, cents as i64);
        Ok(cents)
    }
}
