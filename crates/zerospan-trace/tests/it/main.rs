//! The provider as its users meet it.

mod api;
mod differential;
mod lifecycle;
mod otel;
mod processors;
mod program;
mod propagator;
mod reports;
mod scope;
mod stock_propagator;
mod support;
mod trace_parent;
mod trace_state;
