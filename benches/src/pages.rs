//! The project's pages, whose examples are tests: `cargo test --doc -p benches`. They stand here, in a crate that is not
//! published, since the package of one that is lacks the files.

#[doc = include_str!("../../README.md")]
mod readme {}

#[doc = include_str!("../../docs/architecture.md")]
mod architecture {}

#[doc = include_str!("../../docs/benchmarks.md")]
mod benchmarks {}

#[doc = include_str!("../../docs/configuration.md")]
mod configuration {}

#[doc = include_str!("../../docs/operating.md")]
mod operating {}

#[doc = include_str!("../../docs/collectors.md")]
mod collectors {}

#[doc = include_str!("../../docs/migrating.md")]
mod migrating {}

#[doc = include_str!("../../docs/safety.md")]
mod safety {}

#[doc = include_str!("../../docs/choosing-a-level.md")]
mod choosing_a_level {}
