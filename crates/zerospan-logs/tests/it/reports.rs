//! The log events of a logger provider, and their limits.

use crate::support::{Rig, pipeline};
use opentelemetry::InstrumentationScope;
use opentelemetry::logs::LogRecord as _;
use zerospan_core::dev::{self, Warnings};
use zerospan_export::{ExportResponse, Pipeline, Request, SendError, Signal, Transport};
use zerospan_logs::{LogRecord, LoggerProvider, Processor};

#[test]
fn records_beyond_a_limit_are_counted_and_one_of_them_is_logged_for_each_provider() {
    let rigs =
        [1, 2].map(|limit| Rig::with(|builder| builder.with_max_attributes_per_record(limit)));
    let said = Warnings::of(|| {
        for rig in &rigs {
            for _ in 0..1000 {
                let mut record = rig.logger.record();
                for key in ["one", "two", "three"] {
                    record.add_attribute(key, 1);
                }
                rig.logger.emit(record);
            }
        }
    });
    assert_eq!(said.len(), 2, "{said:?}");
    for (line, (dropped, rig)) in said.iter().zip([2, 1].iter().zip(&rigs)) {
        assert!(line.starts_with("LogRecordLimitExceeded"), "{line}");
        let dropped = format!("dropped_attributes={dropped}");
        assert!(line.contains(&dropped), "{line}");
        assert_eq!(rig.provider.stats().limited, 1000);
    }
}

#[test]
fn a_log_processor_that_panics_is_reported_once() {
    #[derive(Debug)]
    struct Panics;
    impl Processor for Panics {
        fn on_emit(&self, _: &mut LogRecord, _: &InstrumentationScope) {
            std::panic::resume_unwind(Box::new("ignored"));
        }
    }
    dev::in_own_process(&[], || {
        let rig = Rig::with(|builder| builder.with_processor(Panics));
        let said = Warnings::of(|| {
            for _ in 0..1000 {
                rig.logger.emit(rig.logger.record());
            }
        });
        assert!(
            matches!(&said[..], [one] if one.starts_with("LogProcessorPanicked")),
            "{said:?}"
        );
        assert_eq!(rig.records().len(), 1000);
    });
}

#[test]
fn a_logger_provider_that_is_dropped_before_its_records_are_delivered_says_so() {
    dev::in_own_process(&[], || {
        struct Refusing;
        impl Transport for Refusing {
            fn send(&mut self, _: &Request<'_>) -> Result<ExportResponse, SendError> {
                Err(SendError::refused("on purpose"))
            }
        }
        let refusing = Pipeline::builder()
            .with_signal(Signal::Logs)
            .with_transport(|| Ok(Refusing));
        let refusing = refusing.build().expect("valid");
        let (taking, _) = pipeline();
        for (pipeline, is_lost) in [(taking, false), (refusing, true)] {
            let provider = LoggerProvider::builder().with_exporter(pipeline).build();
            let said = Warnings::of(|| {
                let logger = provider.logger("test");
                logger.emit(logger.record());
                drop((provider, logger));
            });
            let is_said = |one: &String| {
                one.starts_with("ProviderDroppedLogRecords") && one.contains("on purpose")
            };
            assert_eq!(said.iter().any(is_said), is_lost, "{said:?}");
        }
    });
}
