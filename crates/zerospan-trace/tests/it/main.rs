//! The public API.

mod api;
mod differential;
mod layer;
mod lifecycle;
mod migration;
mod native;
mod operating;
mod otel;
mod panics;
mod processors;
mod program;
mod reports;
mod scope;
mod support;
mod swapped;
mod w3c;
