use std::fmt;
use zerospan_transport::SendErrorKind;

/// Why items were dropped. Every item that was recorded and not delivered, rejected or pending has exactly one cause.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DropCause {
    /// The queue was full, in items or in bytes. The newest items are dropped.
    QueueFull,
    /// The item alone exceeds the maximum size of a request.
    TooLarge,
    /// The bytes recorded are not one encoded item, or its encoder panicked.
    Malformed,
    /// The item was recorded after the shutdown.
    AfterShutdown,
    /// The item was pending when the timeout of the shutdown passed.
    ShutdownTimeout,
    /// The collector could not be reached: resolving, connecting or TLS failed, or its answer could not be read.
    Unreachable,
    /// The collector did not answer in time.
    TimedOut,
    /// The collector asked to try again until the timeout passed.
    Unavailable,
    /// The collector refused the request.
    Refused,
    /// The transport panicked.
    TransportPanic,
}

impl DropCause {
    /// Every cause, in the order of declaration.
    pub const ALL: &'static [Self] = &[
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

    /// Returns the name in lower case with underscores, for logs and metrics.
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
            Self::TooLarge => "the item exceeds the maximum size of a request",
            Self::Malformed => "the bytes recorded are not one encoded item",
            Self::AfterShutdown => "the pipeline is shut down",
            Self::ShutdownTimeout => "the timeout of the shutdown passed",
            Self::Unreachable => "the collector could not be reached",
            Self::TimedOut => "the collector did not answer in time",
            Self::Unavailable => "the collector was not available",
            Self::Refused => "the collector refused the request",
            Self::TransportPanic => "the transport panicked",
        })
    }
}

impl std::error::Error for DropCause {}

impl From<SendErrorKind> for DropCause {
    fn from(kind: SendErrorKind) -> Self {
        match kind {
            SendErrorKind::TimedOut => Self::TimedOut,
            SendErrorKind::Unavailable => Self::Unavailable,
            SendErrorKind::Refused => Self::Refused,
            _ => Self::Unreachable,
        }
    }
}

/// Numbers of dropped items, by cause.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct DropCounts([u64; DropCause::ALL.len()]);

impl DropCounts {
    /// Returns the number of items dropped by `cause`.
    pub const fn by(&self, cause: DropCause) -> u64 {
        self.0[cause as usize]
    }

    /// Returns the number of items dropped by any cause.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// Returns each cause that dropped items, with their number.
    pub fn iter(&self) -> impl Iterator<Item = (DropCause, u64)> + '_ {
        DropCause::ALL
            .iter()
            .map(|&cause| (cause, self.by(cause)))
            .filter(|&(_, items)| items > 0)
    }

    #[inline]
    pub(crate) fn add(&mut self, cause: DropCause, items: u64) {
        self.0[cause as usize] += items;
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine += theirs;
        }
    }
}

impl fmt::Debug for DropCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(self.iter().map(|(cause, items)| (cause.name(), items)))
            .finish()
    }
}

/// A snapshot that accounts for every item of a pipeline.
///
/// At every instant, [`recorded`](Self::recorded) is the sum of the items that were delivered, rejected and dropped and of
/// those that are open, queued and in flight: [`is_balanced`](Self::is_balanced) compares them.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExportStats {
    /// Items given to the pipeline.
    pub recorded: u64,
    /// Items that the collector accepted.
    pub delivered: u64,
    /// Items that the collector rejected in a partial success.
    pub rejected: u64,
    /// Items dropped by the pipeline.
    pub dropped: DropCounts,
    /// Items in the chunks of their threads.
    pub open: u64,
    /// Items handed over and not yet in a request.
    pub queued: u64,
    /// Items in the request that is being sent.
    pub in_flight: u64,
    /// Max items in the queue; `None` if only the memory limits them.
    pub queue_capacity: Option<u64>,
    /// Requests that are finished: accepted, refused or given up.
    pub requests: u64,
    /// Attempts to send requests, retries included.
    pub attempts: u64,
    /// Bytes of the delivered requests, before compression.
    pub delivered_bytes: u64,
    /// Bytes of memory in chunks: open, queued and free.
    pub chunk_bytes: u64,
    /// Bytes of memory in chunks that are not free.
    pub chunk_bytes_in_use: u64,
    /// Max bytes of memory in chunks.
    pub max_chunk_bytes: u64,
    /// Threads that have recorded and not ended, and producers.
    pub threads: u64,
}

impl ExportStats {
    /// Returns the number of items that may still be delivered.
    pub fn pending(&self) -> u64 {
        self.open + self.queued + self.in_flight
    }

    /// Returns the number of items that were rejected or dropped.
    pub fn lost(&self) -> u64 {
        self.rejected + self.dropped.total()
    }

    /// Returns `true` if every item is accounted for, which always holds.
    pub fn is_balanced(&self) -> bool {
        self.recorded == self.delivered + self.lost() + self.pending()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_item_that_is_missing_anywhere_leaves_the_counts_unbalanced() {
        let mut dropped = DropCounts::default();
        dropped.add(DropCause::QueueFull, 7);
        dropped.add(DropCause::TimedOut, 20);
        let all = ExportStats {
            recorded: 1 + 2 + 27 + 4 + 50 + 600,
            delivered: 1,
            rejected: 2,
            dropped,
            open: 4,
            queued: 50,
            in_flight: 600,
            ..ExportStats::default()
        };
        assert_eq!((all.pending(), all.lost()), (654, 29));
        assert!(all.is_balanced());
        for change in [
            |stats: &mut ExportStats| stats.recorded -= 1,
            |stats: &mut ExportStats| stats.delivered -= 1,
            |stats: &mut ExportStats| stats.rejected += 1,
            |stats: &mut ExportStats| stats.dropped.add(DropCause::Refused, 1),
            |stats: &mut ExportStats| stats.open += 1,
            |stats: &mut ExportStats| stats.queued -= 1,
            |stats: &mut ExportStats| stats.in_flight -= 1,
        ] {
            let mut stats = all;
            change(&mut stats);
            assert!(!stats.is_balanced(), "{stats:?}");
        }
    }

    #[test]
    fn losses_are_listed_added_and_shown_by_cause() {
        let mut counts = DropCounts::default();
        assert_eq!((counts.total(), counts.iter().count()), (0, 0));
        counts.add(DropCause::QueueFull, 1);
        counts.add(DropCause::Refused, 2);
        let mut sum = counts;
        sum.merge(&counts);
        assert_eq!(
            sum.iter().collect::<Vec<_>>(),
            [(DropCause::QueueFull, 2), (DropCause::Refused, 4)]
        );
        assert_eq!((sum.total(), sum.by(DropCause::Refused)), (6, 4));
        let (full, refused) = (DropCause::QueueFull.name(), DropCause::Refused.name());
        assert_eq!(
            format!("{counts:?}"),
            format!("{{{full:?}: 1, {refused:?}: 2}}")
        );
    }

    #[test]
    fn each_kind_of_failure_is_counted_under_a_cause_of_its_own() {
        for (kind, cause) in [
            (SendErrorKind::TimedOut, DropCause::TimedOut),
            (SendErrorKind::Unavailable, DropCause::Unavailable),
            (SendErrorKind::Refused, DropCause::Refused),
            (SendErrorKind::Unreachable, DropCause::Unreachable),
        ] {
            assert_eq!(DropCause::from(kind), cause);
        }
        let mut texts: Vec<String> = DropCause::ALL.iter().map(ToString::to_string).collect();
        texts.sort();
        texts.dedup();
        assert_eq!(texts.len(), DropCause::ALL.len());
        assert!(texts.iter().all(|text| !text.is_empty()));
    }
}
