use crate::core::Setup;
use crate::state::Outcome;
use crate::{
    DropCause, ExportResponse, Request, RetryHint, SendError, SendErrorKind, Signal, Transport,
};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

/// The longest time that a collector's "not before" is obeyed for.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// Gets requests delivered: attempts, waits between them, and what became of it.
#[derive(Default)]
pub(crate) struct Delivery {
    transport: Option<Box<dyn Transport>>,
    /// The collector wants nothing before.
    not_before: Option<Instant>,
    /// Failures since the last success: the first of an outage is worth a warning.
    failures: u64,
    /// Whether the last answer had a complaint: the first of several is worth a warning.
    complained: bool,
}

/// An attempt that failed.
struct Failure {
    /// The spans are counted under it if this was the last attempt.
    cause: DropCause,
    retry: RetryHint,
    message: String,
}

impl From<SendError> for Failure {
    fn from(error: SendError) -> Self {
        let cause = match error.kind {
            SendErrorKind::TimedOut => DropCause::TimedOut,
            SendErrorKind::Unavailable => DropCause::Unavailable,
            SendErrorKind::Refused => DropCause::Refused,
            _ => DropCause::Unreachable,
        };
        Self {
            cause,
            retry: error.retry,
            message: error.message,
        }
    }
}

/// What the delivery needs to know of the world while it works.
pub(crate) trait World {
    /// The deadline for all that is going on, if there is one.
    fn deadline(&self) -> Option<Instant>;
    /// Waits until `until`, or until something has changed.
    fn pause(&self, until: Instant);
    /// An attempt is being made.
    fn attempt(&self);
}

impl Delivery {
    /// Waits as long as the collector asked for. The time does not count as the request's.
    pub(crate) fn wait_for_permission(&mut self, world: &impl World) {
        while let Some(until) = self.not_before {
            let now = Instant::now();
            if until <= now || world.deadline().is_some_and(|deadline| deadline <= now) {
                self.not_before = None;
                return;
            }
            world.pause(earliest(until, world.deadline()));
        }
    }

    /// Sends a request until it is taken, refused for good, or `timeout` is over.
    pub(crate) fn deliver(
        &mut self,
        setup: &Setup,
        world: &impl World,
        body: &[u8],
        spans: usize,
        timeout: Duration,
    ) -> Outcome {
        let own_deadline = Instant::now() + timeout;
        let mut backoff = setup.retry.backoff();
        let mut earlier: Option<Failure> = None;
        loop {
            let deadline = earliest(own_deadline, world.deadline());
            world.attempt();
            let request = Request::new(Signal::Traces, body, spans, deadline);
            let error = match self.attempt(setup, &request) {
                Ok(accepted) => return self.accepted(&accepted, spans, body.len()),
                Err(error) => error,
            };
            // That the last attempt ran out of time says less than why there were others before it.
            let error = match earlier.take() {
                Some(earlier) if error.cause == DropCause::TimedOut => earlier,
                _ => error,
            };
            let now = Instant::now();
            let until = match error.retry {
                RetryHint::Never => return self.failed(&error, spans),
                RetryHint::After(wait) => {
                    // A collector that says "at once", and says it again and again, is not asked in a loop.
                    let until = now + wait.min(LONGEST_PAUSE).max(backoff.wait());
                    self.not_before = Some(until);
                    until
                }
                _ => now + backoff.wait(),
            };
            if !self.pause(world, own_deadline, until) {
                return self.failed(&error, spans);
            }
            self.not_before = None;
            earlier = Some(error);
        }
    }

    /// Sleeps until `until`; `false`, and at once, if the deadline is before it.
    fn pause(&self, world: &impl World, own_deadline: Instant, until: Instant) -> bool {
        loop {
            if earliest(own_deadline, world.deadline()) <= until {
                return false;
            }
            if until <= Instant::now() {
                return true;
            }
            world.pause(until);
        }
    }

    fn attempt(&mut self, setup: &Setup, request: &Request<'_>) -> Result<ExportResponse, Failure> {
        let transport = &mut self.transport;
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            let transport = match transport {
                Some(transport) => transport,
                none => none.insert(setup.connect.connect()?),
            };
            transport.send(request)
        }));
        outcome
            .map(|sent| sent.map_err(Failure::from))
            .unwrap_or_else(|panic| {
                // What has panicked is in no state to go on.
                self.disconnect();
                let message = panic
                    .downcast_ref::<&str>()
                    .map(|text| (*text).to_owned())
                    .or_else(|| panic.downcast_ref::<String>().cloned())
                    .unwrap_or_else(|| "without a message".to_owned());
                Err(Failure {
                    cause: DropCause::TransportPanic,
                    retry: RetryHint::Never,
                    message,
                })
            })
    }

    /// Drops the transport, which may panic over it.
    fn disconnect(&mut self) {
        let transport = self.transport.take();
        let _ = catch_unwind(AssertUnwindSafe(|| drop(transport)));
    }

    fn accepted(&mut self, accepted: &ExportResponse, spans: usize, bytes: usize) -> Outcome {
        if self.failures > 0 {
            tracing::info!(name: "ExportRecovered", failures = self.failures, "the collector takes spans again");
            self.failures = 0;
        }
        let complaint = accepted.rejected_items > 0 || !accepted.message.is_empty();
        if complaint && !std::mem::replace(&mut self.complained, complaint) {
            tracing::warn!(
                name: "ExportPartialSuccess",
                rejected_items = accepted.rejected_items,
                spans,
                message = accepted.message.as_str(),
                "the collector took the request, but not all of it without complaint: said once until it has none"
            );
        }
        self.complained = complaint;
        Outcome::Delivered {
            rejected: accepted.rejected_items,
            bytes: bytes as u64,
        }
    }

    fn failed(&mut self, error: &Failure, spans: usize) -> Outcome {
        self.failures += 1;
        if self.failures == 1 {
            tracing::warn!(
                name: "ExportFailed",
                cause = error.cause.name(),
                spans,
                message = error.message.as_str(),
                "a request was given up, its spans are counted as dropped: said once until the collector takes spans again"
            );
        }
        Outcome::Dropped(error.cause)
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        self.disconnect();
    }
}

pub(crate) fn earliest(one: Instant, other: Option<Instant>) -> Instant {
    other.map_or(one, |other| other.min(one))
}
