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
