//! The contracts of `zerospan-core`, and the conformance kit held to its own.

mod attributes;
mod kit;
