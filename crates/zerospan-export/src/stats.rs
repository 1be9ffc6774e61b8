use std::fmt;

/// Why spans were not delivered. Every span that was recorded and is not with the collector has exactly one of these.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DropCause {
    /// The queue was full, in spans or in bytes: the newest are dropped.
    QueueFull,
    /// The span alone is larger than a request may be.
    TooLarge,
    /// What was recorded is not one field `ScopeSpans.spans`, or its encoder panicked.
    Malformed,
    /// Recorded after the pipeline was shut down.
    AfterShutdown,
    /// Still here when the time for the shutdown was over.
    ShutdownTimeout,
    /// The collector could not be reached: no such name, no connection, no TLS, no answer that could be read.
    Unreachable,
    /// The collector did not answer in time.
    TimedOut,
    /// The collector said "try again" until the time was over.
    Unavailable,
    /// The collector refused the request for good.
    Refused,
    /// The transport panicked.
    TransportPanic,
}

impl DropCause {
    /// Every cause, in the order of declaration.
    pub const ALL: [Self; 10] = [
        Self::QueueFull,
        Self::TooLarge,
        Self::Malformed,
        Self::AfterShutdown,
        Self::ShutdownTimeout,
        Self::Unreachable,
        Self::TimedOut,
        Self::Unavailable,
        Self::Refused,
        Self::TransportPanic,
    ];

    /// A name in lower case with underscores, for logs and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::QueueFull => "queue_full",
            Self::TooLarge => "too_large",
            Self::Malformed => "malformed",
            Self::AfterShutdown => "after_shutdown",
            Self::ShutdownTimeout => "shutdown_timeout",
            Self::Unreachable => "unreachable",
            Self::TimedOut => "timed_out",
            Self::Unavailable => "unavailable",
            Self::Refused => "refused",
            Self::TransportPanic => "transport_panic",
        }
    }
}

impl fmt::Display for DropCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::QueueFull => "the queue is full",
            Self::TooLarge => "the span is larger than a request may be",
            Self::Malformed => "what was recorded is not one encoded span",
            Self::AfterShutdown => "the pipeline is shut down",
            Self::ShutdownTimeout => "the time for the shutdown was over",
            Self::Unreachable => "the collector could not be reached",
            Self::TimedOut => "the collector did not answer in time",
            Self::Unavailable => "the collector was not available",
            Self::Refused => "the collector refused the request",
            Self::TransportPanic => "the transport panicked",
        })
    }
}

impl std::error::Error for DropCause {}

/// Spans dropped, by cause.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Dropped([u64; DropCause::ALL.len()]);

impl Dropped {
    /// How many spans were dropped for `cause`.
    pub const fn by(&self, cause: DropCause) -> u64 {
        self.0[cause as usize]
    }

    /// How many spans were dropped for any cause.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// Each cause that dropped a span, with the number.
    pub fn iter(&self) -> impl Iterator<Item = (DropCause, u64)> + '_ {
        DropCause::ALL
            .into_iter()
            .map(|cause| (cause, self.by(cause)))
            .filter(|&(_, spans)| spans > 0)
    }

    #[inline]
    pub(crate) fn count(&mut self, cause: DropCause, spans: u64) {
        self.0[cause as usize] += spans;
    }

    pub(crate) fn absorb(&mut self, other: &Self) {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine += theirs;
        }
    }
}

impl fmt::Debug for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(self.iter().map(|(cause, spans)| (cause.name(), spans)))
            .finish()
    }
}

/// Where every span is, taken at one instant.
///
/// At every instant, [`recorded`](Self::recorded) is the sum of what was delivered, rejected and dropped and of what is
/// open, queued and in flight: [`is_balanced`](Self::is_balanced) adds it up.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExportStats {
    /// Spans given to the pipeline.
    pub recorded: u64,
    /// Spans that the collector took.
    pub delivered: u64,
    /// Spans that the collector says it rejected, in an answer of partial success.
    pub rejected: u64,
    /// Spans dropped here, by cause.
    pub dropped: Dropped,
    /// Spans in the chunks of their threads.
    pub open: u64,
    /// Spans handed over and not yet in a request.
    pub queued: u64,
    /// Spans in the request that is being sent.
    pub in_flight: u64,
    /// Spans that the queue holds at most.
    pub queue_capacity: u64,
    /// Requests that were settled: taken, refused or given up.
    pub requests: u64,
    /// Attempts to send them: more than the requests by the retries.
    pub attempts: u64,
    /// Bytes of the requests that were delivered, before compression.
    pub delivered_bytes: u64,
    /// Bytes of memory that chunks hold: open, queued and kept for reuse.
    pub chunk_bytes: u64,
    /// Threads that have a slot: those that recorded and live.
    pub threads: u64,
}

impl ExportStats {
    /// Spans that are still on their way.
    pub fn pending(&self) -> u64 {
        self.open + self.queued + self.in_flight
    }

    /// Spans that will not arrive.
    pub fn lost(&self) -> u64 {
        self.rejected + self.dropped.total()
    }

    /// Whether every span is accounted for. It always is.
    pub fn is_balanced(&self) -> bool {
        self.recorded == self.delivered + self.lost() + self.pending()
    }
}
