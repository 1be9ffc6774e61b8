//! The official SDK's types that the set-up takes or uses. No other module of this crate names the SDK.

pub(super) use opentelemetry_sdk::Resource;
pub(super) use opentelemetry_sdk::propagation::BaggagePropagator;
