//! Requests on their way to the collector: attempts, and the waits between them.

mod backoff;

use crate::base::config::PipelineConfig;
use crate::base::error::DeliveryError;
use crate::base::stats::DropCause;
use crate::queue::state::Outcome;
use backoff::Backoff;
use std::time::{Duration, Instant};
use zerospan_core::fork::ProcessOwned;
use zerospan_core::log::{self, WarnOnce};
use zerospan_core::panics;
use zerospan_transport::{Body, ExportResponse, Request, RetryHint, SendError, Transport};

/// Caps the delay that a collector asks for.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(300);

/// Delivers requests, one after the other, over one transport.
#[derive(Default)]
pub(crate) struct Delivery {
    transport: Option<ProcessOwned<Box<dyn Transport>>>,
    /// The collector asked for no request before this time.
    not_before: Option<Instant>,
    /// Requests given up since the last that was delivered.
    failures: u64,
    /// By cause.
    failure_warnings: [WarnOnce; DropCause::ALL.len()],
    partial_warning: WarnOnce,
}

/// The deadline of a delivery, and how it waits.
pub(crate) trait DeliveryContext {
    /// Returns the time at which the delivery must end, if there is one. It may change during the delivery.
    fn deadline(&self) -> Option<Instant>;
    /// Waits until `time`, or until something has changed.
    fn wait_until(&self, time: Instant);
    /// Counts an attempt.
    fn count_attempt(&self);
    /// Notes why an attempt failed.
    fn note_failure(&self, failure: DeliveryError);
}

/// Why an attempt failed, with a panic of the transport as one more cause.
struct Failure {
    cause: DropCause,
    retry: RetryHint,
    message: String,
    /// The collector's own words.
    collector_message: Option<String>,
}

impl Delivery {
    /// Waits for as long as the collector asked. This time does not count towards the timeout of a request.
    pub(crate) fn wait_for_permission(&mut self, context: &impl DeliveryContext) {
        while let Some(time) = self.not_before {
            let now = Instant::now();
            if time <= now || context.deadline().is_some_and(|deadline| deadline <= now) {
                self.not_before = None;
                return;
            }
            context.wait_until(earliest(time, context.deadline()));
        }
    }

    /// Sends a request of `items` items until it is accepted, refused, or `timeout` passes.
    pub(crate) fn deliver(
        &mut self,
        config: &PipelineConfig,
        context: &impl DeliveryContext,
        body: Body<'_>,
        items: usize,
        timeout: Duration,
    ) -> Outcome {
        let own_deadline = Instant::now() + timeout;
        let mut backoff = Backoff::new(config.retry);
        let mut earlier: Option<Failure> = None;
        loop {
            let deadline = earliest(own_deadline, context.deadline());
            context.count_attempt();
            let request = Request::new(config.signal, body, items, deadline);
            let failure = match self.attempt(config, &request) {
                Ok(response) => return self.accepted(config, &response, items, body.len()),
                Err(failure) => failure,
            };
            // The failure before explains more than a timeout of the last attempt, which had little time.
            let failure = match earlier.take() {
                Some(earlier) if failure.cause == DropCause::TimedOut => earlier,
                _ => failure,
            };
            context.note_failure(failure.to_error());
            let now = Instant::now();
            let retry_at = match failure.retry {
                RetryHint::Backoff => now + backoff.next_wait(),
                RetryHint::After(wait) => {
                    // The backoff is the minimum, against a collector that keeps asking for a retry at once.
                    let retry_at = now + wait.min(MAX_RETRY_AFTER).max(backoff.next_wait());
                    self.not_before = Some(retry_at);
                    retry_at
                }
                _ => return self.failed(config, failure, items),
            };
            if !self.wait_before_retry(context, own_deadline, retry_at) {
                // A flush or shutdown that ends the wait asks why.
                context.note_failure(failure.to_error());
                return self.failed(config, failure, items);
            }
            self.not_before = None;
            earlier = Some(failure);
        }
    }

    /// Waits until `retry_at`. Returns `false`, without waiting, if the deadline is earlier.
    fn wait_before_retry(
        &self,
        context: &impl DeliveryContext,
        own_deadline: Instant,
        retry_at: Instant,
    ) -> bool {
        loop {
            if earliest(own_deadline, context.deadline()) <= retry_at {
                return false;
            }
            if retry_at <= Instant::now() {
                return true;
            }
            context.wait_until(retry_at);
        }
    }

    fn attempt(
        &mut self,
        config: &PipelineConfig,
        request: &Request<'_>,
    ) -> Result<ExportResponse, Failure> {
        let transport = &mut self.transport;
        let outcome = panics::catch(|| {
            let transport = match transport {
                Some(transport) => transport,
                none => none.insert(ProcessOwned::new(config.connect.connect()?)),
            };
            transport.send(request)
        });
        match outcome {
            Ok(outcome) => outcome.map_err(Failure::from),
            Err(message) => {
                // The transport may be inconsistent: the next request gets another.
                self.disconnect();
                Err(Failure {
                    cause: DropCause::TransportPanic,
                    retry: RetryHint::Never,
                    message,
                    collector_message: None,
                })
            }
        }
    }

    /// Drops the transport, and catches a panic of its destructor.
    fn disconnect(&mut self) {
        panics::drop_quietly(self.transport.take());
    }

    fn accepted(
        &mut self,
        config: &PipelineConfig,
        response: &ExportResponse,
        items: usize,
        bytes: usize,
    ) -> Outcome {
        let item_name = config.signal.items();
        let mut was_logged = false;
        for warning in &self.failure_warnings {
            was_logged |= warning.reset();
        }
        let failures = std::mem::take(&mut self.failures);
        if was_logged {
            log::suppressed(move || {
                tracing::info!(
                    name: "ExportRecovered",
                    failures,
                    "the collector accepts {item_name} again"
                );
            });
        }
        if response.rejected_items == 0 && response.message.is_empty() {
            self.partial_warning.reset();
        } else if self.partial_warning.admit() {
            let (rejected, message) = (response.rejected_items, response.message.clone());
            log::suppressed(move || {
                tracing::warn!(
                    name: "ExportPartialSuccess",
                    rejected,
                    items,
                    "the collector accepted a request of {item_name} with a warning or in part: \
                     logged once until it accepts one without, and at most once a minute; its words are logged at \
                     debug level"
                );
                log_words(Some(&message));
            });
        }
        Outcome::Delivered {
            rejected: response.rejected_items,
            bytes: bytes as u64,
        }
    }

    fn failed(&mut self, config: &PipelineConfig, failure: Failure, items: usize) -> Outcome {
        self.failures += 1;
        let Failure {
            cause,
            message,
            collector_message,
            ..
        } = failure;
        let item_name = config.signal.items();
        self.failure_warnings[cause as usize].warn(move || {
            tracing::warn!(
                name: "ExportFailed",
                cause = cause.name(),
                items,
                message,
                "a request was given up and its {item_name} are counted as dropped: \
                 logged once until the collector accepts a request, and at most once a minute for each cause"
            );
            log_words(collector_message.as_deref());
        });
        Outcome::Dropped(cause)
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        self.disconnect();
    }
}

impl Failure {
    fn to_error(&self) -> DeliveryError {
        DeliveryError {
            cause: self.cause,
            message: self.message.clone(),
        }
    }
}

impl From<SendError> for Failure {
    fn from(error: SendError) -> Self {
        Self {
            cause: error.kind.into(),
            retry: error.retry,
            message: error.message,
            collector_message: error.collector_message,
        }
    }
}

/// Logs the collector's own words, which may repeat a token that it was sent.
fn log_words(message: Option<&str>) {
    if let Some(message) = message.filter(|message| !message.is_empty()) {
        tracing::debug!(name: "CollectorMessage", message, "the collector's own words");
    }
}

/// Returns the earlier of a time and another that may be absent.
pub(crate) fn earliest(one: Instant, other: Option<Instant>) -> Instant {
    other.map_or(one, |other| other.min(one))
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::base::retry_policy::RetryPolicy;
    use opentelemetry::KeyValue;
    use std::cell::Cell;
    use zerospan_core::sync::OnceBox;
    use zerospan_otlp::EncodedResource;
    use zerospan_transport::{SendErrorKind, Signal};

    struct Throttling;

    impl Transport for Throttling {
        fn send(&mut self, _: &Request<'_>) -> Result<ExportResponse, SendError> {
            let hour = RetryHint::After(Duration::from_secs(3600));
            Err(SendError::new(SendErrorKind::Unavailable, hour, "later"))
        }
    }

    /// Notes the time that is waited for, and ends the wait.
    #[derive(Default)]
    struct Waiting {
        until: Cell<Option<Instant>>,
    }

    impl DeliveryContext for Waiting {
        fn deadline(&self) -> Option<Instant> {
            self.until.get().map(|_| Instant::now())
        }

        fn wait_until(&self, time: Instant) {
            self.until.set(Some(time));
        }

        fn count_attempt(&self) {}

        fn note_failure(&self, _: DeliveryError) {}
    }

    #[test]
    fn a_delay_beyond_five_minutes_is_shortened() {
        let connect = || Ok(Throttling);
        let config = PipelineConfig {
            signal: Signal::Traces,
            connect: ProcessOwned::new(Box::new(connect)),
            retry: RetryPolicy::default(),
            inline: true,
            resource: OnceBox::new(),
            empty_resource: EncodedResource::new(&[] as &[KeyValue], None),
        };
        let (mut delivery, context) = (Delivery::default(), Waiting::default());
        let start = Instant::now();
        let day = Duration::from_secs(24 * 3600);
        let outcome = delivery.deliver(&config, &context, b"".into(), 1, day);
        assert_eq!(outcome, Outcome::Dropped(DropCause::Unavailable));
        let waited = context.until.get().expect("it waits") - start;
        let minutes = Duration::from_secs(295)..Duration::from_secs(600);
        assert!(minutes.contains(&waited), "{waited:?}");
    }
}
