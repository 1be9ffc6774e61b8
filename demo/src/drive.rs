//! Real requests to a side's storefront, thirty-two at a time: the services always have something to do.

use crate::http::{Client, get, send};
use crate::shop;
use anyhow::ensure;
use indicatif::ProgressBar;
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::task::JoinSet;

const AT_A_TIME: usize = 32;

/// Sends the requests with these numbers, each for the product of that number.
///
/// # Errors
///
/// If one is answered otherwise than the shop's rules say.
pub(crate) async fn drive(
    client: &Client,
    to: SocketAddr,
    requests: Range<u64>,
    progress: &ProgressBar,
) -> anyhow::Result<()> {
    let next = Arc::new(AtomicU64::new(requests.start));
    let mut drivers = JoinSet::new();
    for _ in 0..AT_A_TIME {
        let (client, next, progress) = (client.clone(), Arc::clone(&next), progress.clone());
        drivers.spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= requests.end {
                    return anyhow::Ok(());
                }
                ask(&client, to, number % shop::PRODUCTS).await?;
                progress.inc(1);
            }
        });
    }
    while let Some(driver) = drivers.join_next().await {
        driver??;
    }
    Ok(())
}

async fn ask(client: &Client, to: SocketAddr, product: u64) -> anyhow::Result<()> {
    let (status, text) = send(client, get(to, &format!("/offers/{product}"))?).await?;
    let expected = if shop::has_price(product) { 200 } else { 502 };
    ensure!(
        status.as_u16() == expected,
        "product {product} was answered with {status} instead of {expected}: {text}"
    );
    Ok(())
}

/// How many spans the requests with these numbers make.
pub(crate) fn spans(requests: Range<u64>) -> u64 {
    requests
        .map(|number| shop::spans(number % shop::PRODUCTS))
        .sum()
}
