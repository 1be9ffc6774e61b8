//! The three services, once for each way to trace them.

pub(crate) mod instrumented;
pub(crate) mod logic;
pub(crate) mod official;
pub(crate) mod propagation;
pub(crate) mod telemetry;
pub(crate) mod untraced;
pub(crate) mod zerospan;

use clap::ValueEnum;
use std::net::SocketAddr;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Service {
    Storefront,
    Catalog,
    Pricing,
}

impl Service {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Storefront => "storefront",
            Self::Catalog => "catalog",
            Self::Pricing => "pricing",
        }
    }
}

/// The services that the storefront calls.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peers {
    pub(crate) catalog: SocketAddr,
    pub(crate) pricing: SocketAddr,
}
