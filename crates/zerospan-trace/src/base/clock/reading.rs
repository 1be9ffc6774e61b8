/// One reading of a clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reading {
    /// The wall-clock time in nanoseconds since 1970.
    pub(crate) unix: u64,
    /// Nanoseconds on a time line that nobody sets: two readings differ by the elapsed time.
    pub(super) steady: u64,
    /// The counter's value, if the clock has a counter.
    pub(super) ticks: u64,
}

impl Reading {
    /// Returns the reading for a time that the caller names.
    #[inline]
    pub(crate) fn given(unix: u64) -> Self {
        Self {
            unix,
            ..Self::default()
        }
    }

    /// Returns nanoseconds on a time line that nobody sets.
    #[inline]
    pub(crate) fn steady(self) -> u64 {
        self.steady
    }

    /// Returns this reading's wall-clock time plus the time elapsed until `later`.
    #[inline]
    pub(crate) fn unix_at(self, later: Self) -> u64 {
        self.unix
            .saturating_add(later.steady.saturating_sub(self.steady))
    }
}
