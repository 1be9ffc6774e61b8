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
    /// A value that may be a secret is for the caller to leave out. Of a URL with user and password, of a text in PEM and
    /// of a long value, only the kind is kept.
    pub fn new(
        setting: impl Into<String>,
        value: impl fmt::Display,
        accepted: impl Into<String>,
    ) -> Self {
        Self {
            setting: setting.into(),
            value: shown(value.to_string()),
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

/// The length up to which a value is shown.
const MAX_SHOWN: usize = 256;

/// Returns the value, unless it has the look of a secret that went into the wrong setting.
fn shown(value: String) -> String {
    if value.contains("-----BEGIN") {
        "a text in PEM".to_owned()
    } else if value.contains("://") && value.contains('@') {
        "a URL with an @".to_owned()
    } else if value.len() > MAX_SHOWN {
        format!("a value of {} bytes", value.len())
    } else {
        value
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_secret_in_the_wrong_place_is_not_shown() {
        let key = "-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----";
        for value in [key, "http://user:hunter2@host", &"hunter2 ".repeat(100)] {
            let error = ConfigError::new("OTEL_EXPORTER_OTLP_CLIENT_KEY", value, "a path");
            assert!(!format!("{error} {error:?}").contains("hunter"), "{error}");
        }
        let error = ConfigError::new("x", "10s", "a number");
        assert_eq!(
            [error.setting(), error.value(), error.accepted()],
            ["x", "10s", "a number"]
        );
        assert_eq!(error.to_string(), "x cannot be `10s`: give a number");
        for shown in ["a".repeat(256).as_str(), "user@host", "http://host"] {
            assert_eq!(ConfigError::new("x", shown, "").value(), shown);
        }
        let long = ConfigError::new("x", "a".repeat(257), "");
        assert_eq!(long.value(), "a value of 257 bytes");
    }
}
