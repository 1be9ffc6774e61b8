//! The sets and strings of fixed capacity against the contracts of `zerospan-core` and naive models.

mod builder;
mod conformance;
mod hostile;
mod models;
mod traits;
