use crate::log;
use std::fmt::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata, Subscriber, span};

/// A subscriber that keeps warnings and errors, each as one line: the name and the fields, as `Name key=value`.
///
/// # Examples
///
/// ```
/// use zerospan_core::dev::Warnings;
///
/// let said = Warnings::of(|| {
///     tracing::info!(name: "Started", "not a warning");
///     tracing::warn!(name: "QueueFull", dropped = 3, "spans are lost");
/// });
/// assert_eq!(said, ["QueueFull message=spans are lost dropped=3"]);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Warnings(Arc<Mutex<Vec<String>>>);

impl Warnings {
    /// Calls `work` and returns what it, and the thread that logs for it, logged meanwhile.
    pub fn of(work: impl FnOnce()) -> Vec<String> {
        let warnings = Self::default();
        tracing::subscriber::with_default(warnings.clone(), work);
        log::settle();
        warnings.lines()
    }

    /// Returns what has been logged.
    pub fn lines(&self) -> Vec<String> {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.clone()
    }
}

impl Subscriber for Warnings {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::WARN
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(event.metadata().name().to_owned());
        event.record(&mut line);
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.push(line.0);
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let _ = write!(self.0, " {}={value:?}", field.name());
    }
}

#[cfg(test)]
mod tests {
    use super::Warnings;

    #[test]
    fn warnings_and_errors_are_kept_in_order_and_the_rest_is_not() {
        let said = Warnings::of(|| {
            tracing::warn!(number = 1);
            tracing::info!(number = 2);
            tracing::error!(number = 3);
        });
        assert_eq!(said.len(), 2, "{said:?}");
        assert!(said[0].ends_with(" number=1") && said[1].ends_with(" number=3"));
    }
}
