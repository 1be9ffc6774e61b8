//! Shared by all layers: settings, limits, counts, errors, and the framing of an item.

pub(crate) mod batch_config;
pub(crate) mod config;
pub(crate) mod error;
pub(crate) mod item;
pub(crate) mod limits;
pub(crate) mod retry_policy;
pub(crate) mod scope;
pub(crate) mod stats;
