use super::Clock;
use super::counter::Anchor;
use std::cell::Cell;
use zerospan_pool::thread_states::OwnerId;

/// Reads a provider's clock on one thread, for callers without a span to anchor it.
#[derive(Debug, Default)]
pub struct ClockReader {
    anchor: Cell<Anchor>,
    owner: Cell<Option<OwnerId>>,
}

impl ClockReader {
    /// Creates a reader that has read no clock.
    pub const fn new() -> Self {
        Self {
            anchor: Cell::new(Anchor::NONE),
            owner: Cell::new(None),
        }
    }

    /// Returns the time by `clock`, which is the clock of `owner`, in nanoseconds since 1970.
    #[inline]
    pub fn unix_nanos(&self, owner: OwnerId, clock: &Clock) -> u64 {
        if self.owner.get() != Some(owner) {
            self.anchor.set(Anchor::NONE);
            self.owner.set(Some(owner));
        }
        clock.read(&self.anchor).unix
    }
}

#[cfg(test)]
mod tests {
    use super::{Clock, ClockReader, OwnerId};
    use std::time::{Duration, UNIX_EPOCH};

    #[test]
    fn a_reader_tells_each_owners_time_by_its_own_clock() {
        let at = |hours: u64| {
            let time = UNIX_EPOCH + Duration::from_secs(hours * 3600);
            (OwnerId::unique(), Clock::counter_anchored_to(move || time))
        };
        let clocks = [(1, at(1)), (5, at(5))];
        let reader = ClockReader::new();
        for _ in 0..2 {
            for (hours, (owner, clock)) in &clocks {
                let hour = reader.unix_nanos(*owner, clock) / 3_600_000_000_000;
                assert_eq!(hour, *hours);
            }
        }
    }
}
