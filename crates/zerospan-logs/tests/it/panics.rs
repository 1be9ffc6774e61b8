//! Panics of user code: nothing is lost to them, and nothing else fails.

use crate::support::Rig;
use opentelemetry::InstrumentationScope;
use opentelemetry::logs::Severity;
use opentelemetry_sdk::Resource;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use zerospan_logs::{Clock, LogRecord, Processor, ProcessorError, ProviderError};

/// A payload whose drop panics, with another one.
struct Grenade;

impl Drop for Grenade {
    fn drop(&mut self) {
        resume_unwind(Box::new(Self));
    }
}

/// Panics wherever it is called, and when it is dropped.
#[derive(Debug)]
struct Hostile(Arc<AtomicUsize>);

impl Hostile {
    fn explode(&self) -> ! {
        self.0.fetch_add(1, Ordering::SeqCst);
        resume_unwind(Box::new(Grenade));
    }
}

impl Drop for Hostile {
    fn drop(&mut self) {
        self.explode();
    }
}

impl Processor for Hostile {
    fn on_emit(&self, _: &mut LogRecord, _: &InstrumentationScope) {
        self.explode();
    }

    fn event_enabled(&self, _: Severity, _: &str, _: Option<&str>) -> bool {
        self.explode();
    }

    fn set_resource(&mut self, _: &Resource) {
        self.explode();
    }

    fn force_flush(&self, _: Duration) -> Result<(), ProcessorError> {
        self.explode();
    }

    fn shutdown(&self, _: Duration) -> Result<(), ProcessorError> {
        self.explode();
    }
}

#[test]
fn a_processor_that_panics_everywhere_loses_no_record_and_its_shutdown_is_an_error() {
    let calls = Arc::new(AtomicUsize::new(0));
    let rig = Rig::with(|builder| {
        builder
            .with_processor(Hostile(Arc::clone(&calls)))
            .with_processor(Hostile(Arc::clone(&calls)))
    });
    assert!(rig.logger.event_enabled(Severity::Info, "target", None));
    rig.logger.emit(rig.logger.record());
    let flushed = rig.provider.force_flush();
    assert!(matches!(flushed, Err(ProviderError::Processor(_))));
    assert_eq!(rig.records().len(), 1);
    let stopped = rig.provider.shutdown();
    assert!(matches!(stopped, Err(ProviderError::Processor(_))));
    assert_eq!(rig.provider.stats().exports[0].delivered, 1);
    drop(rig);
    // Resource, enabled, emit, two flushes, shutdown and drop; the first says that the event is enabled.
    assert_eq!(calls.load(Ordering::SeqCst), 7 * 2 - 1);
}

#[test]
fn a_record_is_emitted_although_the_clock_panics() {
    let clock = Clock::from_fn(|| resume_unwind(Box::new("on purpose")));
    let rig = Rig::with(|builder| builder.with_clock(clock));
    rig.logger.emit(rig.logger.record());
    assert_ne!(rig.only_record().observed_time_unix_nano, 0);
}
