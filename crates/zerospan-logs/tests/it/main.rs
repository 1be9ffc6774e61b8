//! Log records on a provider that exports into memory.

mod bridges;
mod differential;
mod environment;
mod lifecycle;
mod panics;
mod processors;
mod records;
mod reports;
mod spans;
mod support;
