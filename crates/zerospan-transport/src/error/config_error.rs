use std::error::Error;
use std::fmt;

/// A setting that cannot be used: its name, its value, and what would be accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    setting: String,
    value: String,
    accepted: String,
}

impl ConfigError {
    /// Creates the error for `setting`, whose value is `value`, and describes what is `accepted` instead.
    ///
    /// A value that may be a secret is for the caller to leave out.
    pub fn new(
        setting: impl Into<String>,
        value: impl fmt::Display,
        accepted: impl Into<String>,
    ) -> Self {
        Self {
            setting: setting.into(),
            value: value.to_string(),
            accepted: accepted.into(),
        }
    }

    /// Returns the name of the setting: an environment variable, or a builder's method.
    pub fn setting(&self) -> &str {
        &self.setting
    }

    /// Returns the value that cannot be used.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Returns a description of the values that are accepted.
    pub fn accepted(&self) -> &str {
        &self.accepted
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} cannot be `{}`: give {}",
            self.setting, self.value, self.accepted
        )
    }
}

impl Error for ConfigError {}
