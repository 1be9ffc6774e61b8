//! The sets and strings of fixed capacity, held to the contracts of `zerospan-core` and to naive models.

mod builder;
mod conformance;
mod hostile;
mod models;
