//! The provider as its users meet it.

mod api;
mod differential;
mod lifecycle;
mod otel;
mod processors;
mod program;
mod scope;
mod support;
