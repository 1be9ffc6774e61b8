//! Sets tracing and logs up for a process: pipelines, providers, layer, propagator and subscriber, from the environment.

mod builder;
mod env;
mod error;
mod filter;
mod guard;
mod logs;
mod sdk;

pub use builder::Builder;
pub use error::InitError;
pub use guard::Guard;

/// Sets tracing up as the environment says, and returns the guard that flushes when it is dropped.
///
/// This is `builder().init()`: see [`Builder::from_env`] for the variables, and [`Builder::init`] for what is installed.
///
/// # Errors
///
/// [`InitError`] if a subscriber is installed already, or a setting cannot be used.
///
/// # Examples
///
/// ```no_run
/// fn main() -> Result<(), Box<dyn std::error::Error>> {
///     let _guard = zerospan_tracing::init()?;
///     tracing::info_span!("start").in_scope(|| tracing::info!("hello"));
///     Ok(())
/// }
/// ```
pub fn init() -> Result<Guard, InitError> {
    builder().init()
}

/// Returns [`Builder::from_env`]: the settings of the environment, to change before they are used.
pub fn builder() -> Builder {
    Builder::from_env()
}
