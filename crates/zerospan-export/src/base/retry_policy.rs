use std::time::Duration;
use zerospan_transport::ConfigError;

/// The waits between the attempts to send one request: exponential backoff with jitter.
///
/// The timeout of the request bounds the number of attempts. Checked when the pipeline is built.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RetryPolicy {
    /// The first wait, before jitter: at least 1 ms.
    pub initial: Duration,
    /// The longest wait, before jitter: at least `initial`.
    pub max: Duration,
    /// The factor between a wait and the next: finite, at least 1.
    pub multiplier: f64,
    /// The spread of a wait, which is multiplied by a random factor between `1 - jitter` and `1 + jitter`: 0 to 1.
    pub jitter: f64,
}

/// 1 s, multiplied by 1.5 up to 5 s, with a jitter of 0.2: the retry policy that the specification names for OTLP exporters.
impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            initial: Duration::from_secs(1),
            max: Duration::from_secs(5),
            multiplier: 1.5,
            jitter: 0.2,
        }
    }
}

impl RetryPolicy {
    /// Sets the first and the longest wait.
    #[must_use]
    pub fn with_waits(mut self, initial: Duration, max: Duration) -> Self {
        self.initial = initial;
        self.max = max;
        self
    }

    /// Rejects a policy that would retry without a wait, or wait for ever.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        if self.initial < Duration::from_millis(1) {
            return Err(ConfigError::new(
                "retry.initial",
                format!("{:?}", self.initial),
                "a time of at least 1 ms",
            ));
        }
        if self.max < self.initial {
            return Err(ConfigError::new(
                "retry.max",
                format!("{:?}", self.max),
                format!(
                    "a time of at least retry.initial, which is {:?}",
                    self.initial
                ),
            ));
        }
        if !(self.multiplier.is_finite() && self.multiplier >= 1.0) {
            return Err(ConfigError::new(
                "retry.multiplier",
                self.multiplier,
                "a finite number of at least 1",
            ));
        }
        if !(0.0..=1.0).contains(&self.jitter) {
            return Err(ConfigError::new("retry.jitter", self.jitter, "0 to 1"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_setting_is_accepted_up_to_its_bounds_and_not_beyond() {
        let default = RetryPolicy::default();
        let millis = Duration::from_millis;
        let waits = |initial, max| default.with_waits(initial, max);
        assert_eq!(waits(millis(2), millis(3)).initial, millis(2));
        assert_eq!(waits(millis(2), millis(3)).max, millis(3));
        for (policy, wrong) in [
            (default, None),
            (waits(millis(1), millis(1)), None),
            (
                waits(millis(1) - Duration::from_nanos(1), millis(1)),
                Some("retry.initial"),
            ),
            (waits(millis(2), millis(1)), Some("retry.max")),
            (
                RetryPolicy {
                    multiplier: 1.0,
                    ..default
                },
                None,
            ),
            (
                RetryPolicy {
                    multiplier: 0.99,
                    ..default
                },
                Some("retry.multiplier"),
            ),
            (
                RetryPolicy {
                    multiplier: f64::INFINITY,
                    ..default
                },
                Some("retry.multiplier"),
            ),
            (
                RetryPolicy {
                    multiplier: f64::NAN,
                    ..default
                },
                Some("retry.multiplier"),
            ),
            (
                RetryPolicy {
                    jitter: 0.0,
                    ..default
                },
                None,
            ),
            (
                RetryPolicy {
                    jitter: 1.0,
                    ..default
                },
                None,
            ),
            (
                RetryPolicy {
                    jitter: -0.01,
                    ..default
                },
                Some("retry.jitter"),
            ),
            (
                RetryPolicy {
                    jitter: 1.01,
                    ..default
                },
                Some("retry.jitter"),
            ),
        ] {
            let error = policy.check().err();
            assert_eq!(
                error.as_ref().map(ConfigError::setting),
                wrong,
                "{policy:?}"
            );
        }
    }
}
