//! A log record that is being built.

mod api;
mod native;

use crate::slot::Slot;
use crate::this_thread;
use std::fmt;
use zerospan_otlp::LogRecordLimits;

/// A log record, created by a [`Logger`](crate::Logger) and emitted by one.
///
/// Implements OpenTelemetry's [`LogRecord`](opentelemetry::logs::LogRecord), and has methods that take constant keys, borrowed
/// values, formatted text and whole attribute sets. Encodes attributes and body when they are set.
///
/// A record of a logger that exports nothing, and the default one, ignore what they are given. A record that is dropped is
/// not exported. It may be moved to another thread and be emitted there.
#[derive(Default)]
pub struct LogRecord {
    pub(crate) slot: Option<Box<Slot>>,
}

impl LogRecord {
    #[inline]
    pub(crate) fn new(limits: &LogRecordLimits) -> Self {
        Self {
            slot: Some(this_thread::take_slot(limits)),
        }
    }
}

impl Drop for LogRecord {
    #[inline]
    fn drop(&mut self) {
        if let Some(slot) = self.slot.take() {
            this_thread::put_slot(slot);
        }
    }
}

impl fmt::Debug for LogRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogRecord")
            .field("recorder", &self.slot.as_ref().map(|slot| &slot.recorder))
            .finish_non_exhaustive()
    }
}
