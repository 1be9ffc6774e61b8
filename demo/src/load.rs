//! Sends requests to the storefront of a side, many at a time, so that the services are always busy.

use crate::http::{Client, get, send};
use crate::services::logic;
use anyhow::ensure;
use indicatif::ProgressBar;
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::task::JoinSet;

const CONCURRENT_REQUESTS: usize = 32;

/// Sends the requests with these numbers, each for the product with that number.
///
/// # Errors
///
/// If a response is not the one that the logic of the services prescribes.
pub(crate) async fn send_requests(
    client: &Client,
    to: SocketAddr,
    requests: Range<u64>,
    progress: &ProgressBar,
) -> anyhow::Result<()> {
    let next = Arc::new(AtomicU64::new(requests.start));
    let mut clients = JoinSet::new();
    for _ in 0..CONCURRENT_REQUESTS {
        let (client, next, progress) = (client.clone(), Arc::clone(&next), progress.clone());
        clients.spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= requests.end {
                    return anyhow::Ok(());
                }
                request_offer(&client, to, number % logic::PRODUCTS).await?;
                progress.inc(1);
            }
        });
    }
    while let Some(outcome) = clients.join_next().await {
        outcome??;
    }
    Ok(())
}

async fn request_offer(client: &Client, to: SocketAddr, product: u64) -> anyhow::Result<()> {
    let (status, text) = send(client, get(to, &format!("/offers/{product}"))?).await?;
    let expected = if logic::has_price(product) { 200 } else { 502 };
    ensure!(
        status.as_u16() == expected,
        "product {product}: status {status} instead of {expected}: {text}"
    );
    Ok(())
}

/// Returns the number of log records of the requests with these numbers, if there are any.
pub(crate) fn log_record_count(requests: Range<u64>) -> u64 {
    requests
        .map(|number| logic::log_record_count(number % logic::PRODUCTS))
        .sum()
}

/// Returns the number of spans of the requests with these numbers.
pub(crate) fn span_count(requests: Range<u64>) -> u64 {
    requests
        .map(|number| logic::span_count(number % logic::PRODUCTS))
        .sum()
}
