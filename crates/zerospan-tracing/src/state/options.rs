use std::sync::atomic::{AtomicU32, Ordering};

/// The switches of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Switch {
    Location = 1,
    TrackedInactivity = 1 << 1,
    Threads = 1 << 2,
    Level = 1 << 3,
    Target = 1 << 4,
    ContextActivation = 1 << 5,
    ErrorFieldsToExceptions = 1 << 6,
    ErrorRecordsToExceptions = 1 << 7,
    ErrorEventsToExceptions = 1 << 8,
    ErrorEventsToStatus = 1 << 9,
    EventsToSpans = 1 << 10,
    EventsToLogs = 1 << 11,
}

/// A copy of a layer's switches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Options(u32);

impl Options {
    #[inline]
    pub(crate) fn has(self, switch: Switch) -> bool {
        self.0 & switch as u32 != 0
    }
}

impl Default for Options {
    fn default() -> Self {
        Self(
            Switch::Location as u32
                | Switch::TrackedInactivity as u32
                | Switch::Threads as u32
                | Switch::Target as u32
                | Switch::ErrorFieldsToExceptions as u32
                | Switch::ErrorRecordsToExceptions as u32
                | Switch::ErrorEventsToExceptions as u32
                | Switch::ErrorEventsToStatus as u32
                | Switch::EventsToLogs as u32,
        )
    }
}

/// A layer's switches. The builder's methods set them before the layer is used.
#[derive(Debug)]
pub(crate) struct SharedOptions(AtomicU32);

impl SharedOptions {
    #[inline]
    pub(crate) fn load(&self) -> Options {
        Options(self.0.load(Ordering::Relaxed))
    }

    pub(crate) fn set(&self, switch: Switch, is_on: bool) {
        if is_on {
            self.0.fetch_or(switch as u32, Ordering::Relaxed);
        } else {
            self.0.fetch_and(!(switch as u32), Ordering::Relaxed);
        }
    }
}

impl Default for SharedOptions {
    fn default() -> Self {
        Self(AtomicU32::new(Options::default().0))
    }
}
