use crate::ConfigError;
use crate::batch_config::FOR_EVER;
use std::time::Duration;

/// How long to wait before a request is sent again: exponential, with jitter on every step.
///
/// The number of attempts is bounded by the time that the whole call may take. Checked when the pipeline is built.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RetryPolicy {
    /// The first wait, before jitter: at least 1 ms.
    pub initial: Duration,
    /// The longest wait, before jitter: at least `initial`.
    pub max: Duration,
    /// What each wait is multiplied with to give the next: a finite number from 1.
    pub multiplier: f64,
    /// How far a wait is spread: each is multiplied with a random factor between `1 - jitter` and `1 + jitter`. 0 to 1.
    pub jitter: f64,
}

/// 1 s, multiplied by 1.5 up to 5 s, spread by a fifth: what the specification's retry policy for OTLP exporters gives.
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
    /// Waits `initial` first and `max` at most.
    #[must_use]
    pub fn with_waits(mut self, initial: Duration, max: Duration) -> Self {
        self.initial = initial;
        self.max = max;
        self
    }

    /// Checks the policy, so that no request is sent in a loop without a wait, or waits for ever.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] names the value that cannot be used and what is accepted.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let least = Duration::from_millis(1);
        if self.initial < least {
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

    pub(crate) fn backoff(&self) -> Backoff {
        Backoff {
            policy: *self,
            next: self.initial,
        }
    }
}

/// The waits of one request.
#[derive(Debug)]
pub(crate) struct Backoff {
    policy: RetryPolicy,
    next: Duration,
}

impl Backoff {
    /// The next wait.
    pub(crate) fn wait(&mut self) -> Duration {
        let wait = self.next;
        self.next = scale(wait, self.policy.multiplier).min(self.policy.max);
        let jitter = self.policy.jitter;
        scale(wait, 1.0 + jitter * (2.0 * fastrand::f64() - 1.0)).min(FOR_EVER)
    }
}

fn scale(duration: Duration, factor: f64) -> Duration {
    Duration::try_from_secs_f64(duration.as_secs_f64() * factor).unwrap_or(Duration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_the_cap_and_every_one_is_spread() {
        let policy = RetryPolicy::default();
        let mut spread = vec![Vec::new(); 8];
        for _ in 0..200 {
            let mut backoff = policy.backoff();
            for step in &mut spread {
                step.push(backoff.wait().as_secs_f64());
            }
        }
        let centres = [1.0, 1.5, 2.25, 3.375, 5.0, 5.0, 5.0, 5.0];
        for (step, centre) in spread.iter().zip(centres) {
            let least = step.iter().copied().fold(f64::MAX, f64::min);
            let most = step.iter().copied().fold(0.0, f64::max);
            assert!(least >= centre * 0.799 && most <= centre * 1.201);
            assert!(most - least > centre * 0.2, "no jitter at {centre}");
        }
    }
}
