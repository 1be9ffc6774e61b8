//! Connections that are kept between requests, and that may have died without a word: behind a NAT, or a balancer that hangs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use ureq::Error;
use ureq::unversioned::transport::{Buffers, NextTimeout, Transport};

/// The shortest time without an answer after which a kept connection counts as dead.
const MIN_PATIENCE: Duration = Duration::from_millis(500);

/// The request that a transport is sending, as far as its connections need to know. A transport sends one at a time.
#[derive(Clone, Debug, Default)]
pub(super) struct Requests(Arc<State>);

#[derive(Debug, Default)]
struct State {
    number: AtomicU64,
    /// The longest wait for the first byte of an answer over a kept connection, in milliseconds.
    patience: AtomicU64,
    /// The time that the collector took for its last answer, in milliseconds.
    usual: AtomicU64,
    /// The request went over a kept connection, and no byte of an answer came.
    is_unheard: AtomicBool,
}

impl Requests {
    /// Notes that a request begins.
    ///
    /// Over a kept connection, it waits for half of its time at most, so that there is time for another connection; unless the
    /// collector usually takes long.
    pub(super) fn begin(&self, time_left: Duration) -> Instant {
        let usual = Duration::from_millis(self.0.usual.load(Ordering::Relaxed));
        let patience = (time_left / 2).max(2 * usual).max(MIN_PATIENCE);
        self.0.patience.store(millis(patience), Ordering::Relaxed);
        self.0.is_unheard.store(false, Ordering::Relaxed);
        self.0.number.fetch_add(1, Ordering::Relaxed);
        Instant::now()
    }

    /// Notes the end of the request that began at `start`, with an answer or without. Returns `true` if it is to be sent over
    /// another connection.
    pub(super) fn end(&self, start: Instant, has_answer: bool) -> bool {
        let is_unheard = self.0.is_unheard.load(Ordering::Relaxed);
        if !is_unheard {
            self.0
                .usual
                .store(millis(start.elapsed()), Ordering::Relaxed);
        }
        is_unheard && !has_answer
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// A connection that may be kept.
#[derive(Debug)]
pub(super) struct Kept {
    transport: Box<dyn Transport>,
    requests: Requests,
    /// The number of the last request over this connection that was answered, or for which it was made.
    heard_in: u64,
}

impl Kept {
    pub(super) fn new(transport: Box<dyn Transport>, requests: &Requests) -> Self {
        Self {
            transport,
            requests: requests.clone(),
            heard_in: requests.0.number.load(Ordering::Relaxed),
        }
    }

    /// Bounds the wait for the first byte of an answer.
    fn bounded(&self, mut timeout: NextTimeout) -> NextTimeout {
        let state = &self.requests.0;
        if self.heard_in != state.number.load(Ordering::Relaxed) {
            state.is_unheard.store(true, Ordering::Relaxed);
            let patience = Duration::from_millis(state.patience.load(Ordering::Relaxed));
            (timeout.per_read, timeout.per_write) = (Some(patience.into()), Some(patience.into()));
        }
        timeout
    }
}

impl Transport for Kept {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.transport.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let timeout = self.bounded(timeout);
        self.transport.transmit_output(amount, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let timeout = self.bounded(timeout);
        let has_input = self.transport.await_input(timeout)?;
        if has_input {
            self.heard_in = self.requests.0.number.load(Ordering::Relaxed);
            self.requests.0.is_unheard.store(false, Ordering::Relaxed);
        }
        Ok(has_input)
    }

    fn is_open(&mut self) -> bool {
        self.transport.is_open()
    }
}
