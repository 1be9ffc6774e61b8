pub(crate) mod config;
pub(crate) mod stats;
