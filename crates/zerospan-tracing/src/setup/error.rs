use std::error::Error;
use std::fmt;
use tracing_subscriber::util::TryInitError;
use zerospan_transport::ConfigError;

/// Tracing could not be set up. Nothing was installed, and nothing is exported.
#[derive(Debug)]
#[non_exhaustive]
pub enum InitError {
    /// A subscriber of `tracing`, or a logger of `log`, is installed for the process already. Both can be set only once.
    AlreadyInstalled(TryInitError),
    /// A setting cannot be used.
    Setting(ConfigError),
}

impl fmt::Display for InitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AlreadyInstalled(_) => {
                "a global subscriber or logger is installed already: call `zerospan_tracing::init()` before, and in place of, \
                 the other `init()` (`Builder::with_fmt` and `Builder::init_with` add layers), or add \
                 `zerospan_tracing::layer(&provider)` to that subscriber"
            }
            Self::Setting(_) => "tracing cannot be set up: see the cause",
        })
    }
}

impl Error for InitError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::AlreadyInstalled(error) => Some(error),
            Self::Setting(error) => Some(error),
        }
    }
}

impl From<ConfigError> for InitError {
    fn from(error: ConfigError) -> Self {
        Self::Setting(error)
    }
}
