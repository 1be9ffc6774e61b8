//! The three services without tracing: the baseline of those that trace through OpenTelemetry's API.

use crate::http::{Client, Response, client, get, send};
use crate::services::logic::{Catalog, discount, list_price, offer, reduced};
use crate::services::{Peers, Service};
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing;
use std::net::SocketAddr;
use std::sync::Arc;

struct Storefront {
    client: Client,
    peers: Peers,
}

pub(crate) fn router(service: Service, peers: Peers) -> anyhow::Result<Router> {
    Ok(match service {
        Service::Storefront => {
            let client = client();
            Router::new()
                .route("/offers/{id}", routing::get(make_offer))
                .with_state(Arc::new(Storefront { client, peers }))
        }
        Service::Catalog => Router::new()
            .route("/products/{id}", routing::get(product))
            .with_state(Arc::new(Catalog::open()?)),
        Service::Pricing => Router::new().route("/prices/{id}", routing::get(price)),
    })
}

async fn make_offer(State(storefront): State<Arc<Storefront>>, Path(id): Path<u64>) -> Response {
    match storefront.offer(id).await {
        Ok(offer) => (StatusCode::OK, offer),
        Err(error) => (StatusCode::BAD_GATEWAY, format!("{error:#}")),
    }
}

impl Storefront {
    async fn offer(&self, id: u64) -> anyhow::Result<String> {
        let name = self
            .call(self.peers.catalog, &format!("/products/{id}"))
            .await?;
        let cents = self
            .call(self.peers.pricing, &format!("/prices/{id}"))
            .await?;
        Ok(offer(&name, &cents))
    }

    async fn call(&self, to: SocketAddr, path: &str) -> anyhow::Result<String> {
        let (status, text) = send(&self.client, get(to, path)?).await?;
        anyhow::ensure!(status.is_success(), "{path}: {status}: {text}");
        Ok(text)
    }
}

async fn product(State(catalog): State<Arc<Catalog>>, Path(id): Path<u64>) -> Response {
    match catalog.describe(id) {
        Ok(Some(name)) => (StatusCode::OK, name),
        Ok(None) => (StatusCode::NOT_FOUND, format!("no product has the id {id}")),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
    }
}

async fn price(Path(id): Path<u64>) -> Response {
    match list_price(id) {
        Ok(cents) => (StatusCode::OK, reduced(cents, discount(id)).to_string()),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
    }
}
