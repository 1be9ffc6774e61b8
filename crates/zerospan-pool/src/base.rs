pub(crate) mod config;
pub(crate) mod stats;
pub(crate) mod sync;
