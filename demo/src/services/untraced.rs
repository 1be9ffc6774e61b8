//! The three services without tracing: the baseline of the comparison.

use crate::http::{Client, Response, client, get, send, serve};
use crate::services::logic::{Catalog, discount, list_price, offer, reduced};
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing;
use std::net::SocketAddr;
use std::sync::Arc;

struct Storefront {
    client: Client,
    catalog: SocketAddr,
    pricing: SocketAddr,
}

/// Starts the services and returns the address of the storefront.
pub(crate) async fn start() -> anyhow::Result<SocketAddr> {
    let catalog = Router::new()
        .route("/products/{id}", routing::get(product))
        .with_state(Arc::new(Catalog::open()?));
    let pricing = Router::new().route("/prices/{id}", routing::get(price));
    let storefront = Storefront {
        client: client(),
        catalog: serve(catalog).await?,
        pricing: serve(pricing).await?,
    };
    serve(
        Router::new()
            .route("/offers/{id}", routing::get(make_offer))
            .with_state(Arc::new(storefront)),
    )
    .await
}

async fn make_offer(State(storefront): State<Arc<Storefront>>, Path(id): Path<u64>) -> Response {
    match storefront.offer(id).await {
        Ok(offer) => (StatusCode::OK, offer),
        Err(error) => (StatusCode::BAD_GATEWAY, format!("{error:#}")),
    }
}

impl Storefront {
    async fn offer(&self, id: u64) -> anyhow::Result<String> {
        let name = self.call(self.catalog, &format!("/products/{id}")).await?;
        let cents = self.call(self.pricing, &format!("/prices/{id}")).await?;
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
