//! The traits of `zerospan-core` and its conformance kit.

mod attributes;
mod kit;
