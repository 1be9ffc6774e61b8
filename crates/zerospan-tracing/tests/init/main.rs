//! The set-up of a process. Each test runs in a process of its own, with its own environment.
#![forbid(unsafe_code)]

mod axum;
mod setup;
mod signals;
mod support;
mod variables;
