//! The three services, traced through OpenTelemetry's API by the official SDK.

use crate::http::{Client, Response, client, get, send};
use crate::services::logic::{Catalog, NoPrice, discount, list_price, offer, reduced};
use crate::services::propagation::official::{Caller, inject};
use crate::services::{Peers, Service};
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing;
use opentelemetry::trace::{FutureExt, Span as _, SpanKind, Status, TraceContextExt, Tracer as _};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::SdkTracer;
use std::net::SocketAddr;
use std::sync::Arc;

struct Storefront {
    tracer: SdkTracer,
    client: Client,
    peers: Peers,
}

struct CatalogService {
    tracer: SdkTracer,
    catalog: Catalog,
}

struct Pricing {
    tracer: SdkTracer,
}

pub(crate) fn router(service: Service, peers: Peers, tracer: SdkTracer) -> anyhow::Result<Router> {
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

/// Starts the span of an incoming request, a child of the caller's span if the headers name one, and returns its context.
fn server_span(
    tracer: &SdkTracer,
    name: &'static str,
    route: &'static str,
    caller: &Context,
    id: u64,
) -> Context {
    let span = tracer
        .span_builder(name)
        .with_kind(SpanKind::Server)
        .with_attributes([
            KeyValue::new("http.request.method", "GET"),
            KeyValue::new("http.route", route),
            KeyValue::new("shop.product.id", id as i64),
        ])
        .start_with_context(tracer, caller);
    caller.with_span(span)
}

/// Ends the span of a request with its response.
fn end_with(context: &Context, response: &Response) {
    let (status, text) = response;
    let span = context.span();
    span.set_attribute(KeyValue::new(
        "http.response.status_code",
        i64::from(status.as_u16()),
    ));
    if status.is_server_error() {
        span.set_status(Status::error(text.clone()));
    }
    span.end();
}

async fn make_offer(
    State(storefront): State<Arc<Storefront>>,
    Path(id): Path<u64>,
    Caller(caller): Caller,
) -> Response {
    let context = server_span(
        &storefront.tracer,
        "GET /offers/{id}",
        "/offers/{id}",
        &caller,
        id,
    );
    let offer = storefront.offer(id).with_context(context.clone());
    let response = match offer.await {
        Ok(offer) => (StatusCode::OK, offer),
        Err(error) => (StatusCode::BAD_GATEWAY, format!("{error:#}")),
    };
    end_with(&context, &response);
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

        let mut span = self.tracer.start("render offer");
        let offer = offer(&name, &cents);
        span.set_attribute(KeyValue::new("shop.offer.bytes", offer.len() as i64));
        Ok(offer)
    }

    async fn call(&self, name: &'static str, to: SocketAddr, path: &str) -> anyhow::Result<String> {
        let span = self
            .tracer
            .span_builder(name)
            .with_kind(SpanKind::Client)
            .with_attributes([
                KeyValue::new("http.request.method", "GET"),
                KeyValue::new("server.address", "127.0.0.1"),
                KeyValue::new("server.port", i64::from(to.port())),
                KeyValue::new("url.path", path.to_owned()),
                KeyValue::new("url.full", format!("http://{to}{path}")),
            ])
            .start(&self.tracer);
        let context = Context::current_with_span(span);
        let span = context.span();

        let mut request = get(to, path)?;
        inject(request.headers_mut(), &context);
        let response = send(&self.client, request)
            .with_context(context.clone())
            .await;
        let (status, text) = response.inspect_err(|error| {
            span.set_status(Status::error(format!("{error:#}")));
        })?;
        span.set_attribute(KeyValue::new(
            "http.response.status_code",
            i64::from(status.as_u16()),
        ));
        if !status.is_success() {
            span.set_status(Status::error(text.clone()));
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
    let context = server_span(
        &service.tracer,
        "GET /products/{id}",
        "/products/{id}",
        &caller,
        id,
    );
    let response = match service.find(id).with_context(context.clone()).await {
        Ok(Some(name)) => (StatusCode::OK, name),
        Ok(None) => (StatusCode::NOT_FOUND, format!("no product has the id {id}")),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
    };
    end_with(&context, &response);
    response
}

impl CatalogService {
    async fn find(&self, id: u64) -> rusqlite::Result<Option<String>> {
        let mut span = self
            .tracer
            .span_builder("SELECT products")
            .with_kind(SpanKind::Client)
            .with_attributes([
                KeyValue::new("db.system.name", "sqlite"),
                KeyValue::new("db.collection.name", "products"),
                KeyValue::new("db.operation.name", "SELECT"),
                KeyValue::new("db.query.text", Catalog::QUERY),
                KeyValue::new("shop.product.id", id as i64),
            ])
            .start(&self.tracer);
        let found = self.catalog.describe(id);
        if let Err(error) = &found {
            span.record_error(error);
            span.set_status(Status::error(error.to_string()));
        }
        found
    }
}

async fn price(
    State(pricing): State<Arc<Pricing>>,
    Path(id): Path<u64>,
    Caller(caller): Caller,
) -> Response {
    let context = server_span(
        &pricing.tracer,
        "GET /prices/{id}",
        "/prices/{id}",
        &caller,
        id,
    );
    let response = match pricing.price(id).with_context(context.clone()).await {
        Ok(cents) => (StatusCode::OK, cents.to_string()),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
    };
    end_with(&context, &response);
    response
}

impl Pricing {
    async fn price(&self, id: u64) -> Result<u64, NoPrice> {
        let mut span = self.tracer.start("apply discount");
        let cents = list_price(id).inspect_err(|error| {
            span.record_error(error);
            span.set_status(Status::error(error.to_string()));
        })?;
        let percent = discount(id);
        span.add_event(
            "discount found",
            vec![KeyValue::new("shop.discount.percent", percent as i64)],
        );
        let cents = reduced(cents, percent);
        span.set_attribute(KeyValue::new("shop.price.cents", cents as i64));
        Ok(cents)
    }
}
