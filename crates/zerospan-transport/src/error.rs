//! The errors of this crate: a setting that cannot be used, and an attempt that failed.

mod config_error;
mod send_error;

pub use config_error::ConfigError;
pub use send_error::{RetryHint, SendError, SendErrorKind};
