//! A subscriber that passes on whatever it is told, and knows no span.

use std::sync::atomic::{AtomicU64, Ordering};
use tracing::span::{Attributes, Record};
use tracing::{Event, Id, Metadata, Subscriber};
use tracing_subscriber::registry::{Data, LookupSpan};

/// Closes any id as often as it is asked to, and gives out the ids that it was told to.
#[derive(Debug)]
pub(crate) struct Hostile {
    next: AtomicU64,
    step: u64,
}

impl Hostile {
    /// Gives every span the same id.
    pub(crate) fn always(id: u64) -> Self {
        Self {
            next: AtomicU64::new(id),
            step: 0,
        }
    }
}

impl Hostile {
    /// Gives the next spans the ids from this one on.
    pub(crate) fn set_next(&self, id: u64) {
        self.next.store(id, Ordering::Relaxed);
    }
}

impl Default for Hostile {
    fn default() -> Self {
        Self {
            next: AtomicU64::new(1),
            step: 1,
        }
    }
}

impl Subscriber for Hostile {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(self.next.fetch_add(self.step, Ordering::Relaxed))
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}

    fn try_close(&self, _: Id) -> bool {
        true
    }
}

impl<'a> LookupSpan<'a> for Hostile {
    type Data = Data<'a>;

    fn span_data(&'a self, _: &Id) -> Option<Data<'a>> {
        None
    }
}
