//! The three services without tracing: the baseline of those that trace through OpenTelemetry's API, without the headers of
//! propagation or with them.

use crate::http::{Client, Response, client, get, send};
use crate::services::logic::{Catalog, discount, list_price, offer, reduced};
use crate::services::propagation::control::Headers;
use crate::services::{Peers, Service};
use axum::Router;
use axum::extract::{FromRequestParts, Path, State};
use axum::http::StatusCode;
use axum::routing;
use std::net::SocketAddr;
use std::sync::Arc;

pub(crate) struct Storefront {
    client: Client,
    peers: Peers,
}

pub(crate) fn router<H>(service: Service, peers: Peers) -> anyhow::Result<Router>
where
    H: Headers + FromRequestParts<Arc<Storefront>> + FromRequestParts<Arc<Catalog>>,
{
    Ok(match service {
        Service::Storefront => {
            let client = client();
            Router::new()
                .route("/offers/{id}", routing::get(make_offer::<H>))
                .with_state(Arc::new(Storefront { client, peers }))
        }
        Service::Catalog => Router::new()
            .route("/products/{id}", routing::get(product::<H>))
            .with_state(Arc::new(Catalog::open()?)),
        Service::Pricing => Router::new().route("/prices/{id}", routing::get(price::<H>)),
    })
}

async fn make_offer<H>(
    State(storefront): State<Arc<Storefront>>,
    Path(id): Path<u64>,
    _: H,
) -> Response
where
    H: Headers + FromRequestParts<Arc<Storefront>>,
{
    match storefront.offer::<H>(id).await {
        Ok(offer) => (StatusCode::OK, offer),
        Err(error) => (StatusCode::BAD_GATEWAY, format!("{error:#}")),
    }
}

impl Storefront {
    async fn offer<H: Headers>(&self, id: u64) -> anyhow::Result<String> {
        let name = self
            .call::<H>(self.peers.catalog, &format!("/products/{id}"))
            .await?;
        let cents = self
            .call::<H>(self.peers.pricing, &format!("/prices/{id}"))
            .await?;
        Ok(offer(&name, &cents))
    }

    async fn call<H: Headers>(&self, to: SocketAddr, path: &str) -> anyhow::Result<String> {
        let mut request = get(to, path)?;
        H::pass_on(request.headers_mut());
        let (status, text) = send(&self.client, request).await?;
        anyhow::ensure!(status.is_success(), "{path}: {status}: {text}");
        Ok(text)
    }
}

async fn product<H>(State(catalog): State<Arc<Catalog>>, Path(id): Path<u64>, _: H) -> Response
where
    H: FromRequestParts<Arc<Catalog>>,
{
    match catalog.describe(id) {
        Ok(Some(name)) => (StatusCode::OK, name),
        Ok(None) => (StatusCode::NOT_FOUND, format!("no product has the id {id}")),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
    }
}

async fn price<H: FromRequestParts<()>>(Path(id): Path<u64>, _: H) -> Response {
    match list_price(id) {
        Ok(cents) => (StatusCode::OK, reduced(cents, discount(id)).to_string()),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
    }
}
