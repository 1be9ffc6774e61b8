//! Tests of the mechanisms, with the spans read back from a transport in memory.

mod basics;
mod context;
mod fields;
mod parents;
mod subscribers;
mod support;
