use crate::base::limits::MAX_TIMEOUT;
use crate::base::retry_policy::RetryPolicy;
use std::time::Duration;

/// The waits of one request.
#[derive(Debug)]
pub(super) struct Backoff {
    policy: RetryPolicy,
    next: Duration,
}

impl Backoff {
    pub(super) fn new(policy: RetryPolicy) -> Self {
        Self {
            policy,
            next: policy.initial,
        }
    }

    /// Returns the next wait.
    pub(super) fn next_wait(&mut self) -> Duration {
        let wait = self.next;
        self.next = scale(wait, self.policy.multiplier).min(self.policy.max);
        let jitter = self.policy.jitter;
        scale(wait, 1.0 + jitter * (2.0 * fastrand::f64() - 1.0)).min(MAX_TIMEOUT)
    }
}

fn scale(duration: Duration, factor: f64) -> Duration {
    Duration::try_from_secs_f64(duration.as_secs_f64() * factor).unwrap_or(Duration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_the_maximum_and_each_has_jitter() {
        let mut spread = vec![Vec::new(); 8];
        for _ in 0..200 {
            let mut backoff = Backoff::new(RetryPolicy::default());
            for step in &mut spread {
                step.push(backoff.next_wait().as_secs_f64());
            }
        }
        let centres = [1.0, 1.5, 2.25, 3.375, 5.0, 5.0, 5.0, 5.0];
        for (step, centre) in spread.iter().zip(centres) {
            let min = step.iter().copied().fold(f64::MAX, f64::min);
            let max = step.iter().copied().fold(0.0, f64::max);
            assert!(min >= centre * 0.799 && max <= centre * 1.201);
            assert!(max - min > centre * 0.2, "no jitter at {centre}");
        }
    }
}
