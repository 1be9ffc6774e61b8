//! The project's pages. `cargo test --doc -p zerospan --all-features` runs their examples, in a clone only: the package
//! lacks the pages.

#[doc = include_str!("../../../README.md")]
mod readme {}

#[doc = include_str!("../../../docs/architecture.md")]
mod architecture {}

#[doc = include_str!("../../../docs/benchmarks.md")]
mod benchmarks {}

#[doc = include_str!("../../../docs/configuration.md")]
mod configuration {}

#[doc = include_str!("../../../docs/operating.md")]
mod operating {}

#[doc = include_str!("../../../docs/collectors.md")]
mod collectors {}

#[doc = include_str!("../../../docs/migrating.md")]
mod migrating {}

#[doc = include_str!("../../../docs/safety.md")]
mod safety {}

#[doc = include_str!("../../../docs/choosing-a-level.md")]
mod choosing_a_level {}

#[doc = include_str!("../../../docs/tracing.md")]
mod tracing {}
