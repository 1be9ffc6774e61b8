//! Side effects of a pipeline: suppressed telemetry, log events, files.

use crate::collector::{Collector, Reply};
use crate::support::{LONG, batch, quick, received, record, scope};
use opentelemetry::Context;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use tracing_subscriber::layer::{Context as LayerContext, Layer, SubscriberExt};
use zerospan_core::dev;
use zerospan_export::{
    ExportResponse, FileTransport, Pipeline, Protocol, Request, RetryHint, SendError,
    SendErrorKind, Transport,
};

#[test]
fn exporting_is_itself_never_traced() {
    struct Asking(Arc<AtomicBool>);
    impl Transport for Asking {
        fn send(&mut self, _: &Request<'_>) -> Result<ExportResponse, SendError> {
            self.0
                .store(Context::is_current_telemetry_suppressed(), Ordering::SeqCst);
            Ok(ExportResponse::ALL)
        }
    }
    let suppressed = Arc::new(AtomicBool::new(false));
    let pipeline = quick()
        .with_transport({
            let suppressed = Arc::clone(&suppressed);
            move || Ok(Asking(Arc::clone(&suppressed)))
        })
        .build()
        .unwrap();
    record(&pipeline, &scope("quiet"), 0..1);
    pipeline.force_flush(LONG).unwrap();
    assert!(suppressed.load(Ordering::SeqCst));
    assert!(!Context::is_current_telemetry_suppressed());
}

/// Keeps the names of the events of this crate, but for those at debug level.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<&'static str>>>, Arc<Mutex<Vec<String>>>);

impl<S: tracing::Subscriber> Layer<S> for Log {
    fn on_event(&self, event: &tracing::Event<'_>, _: LayerContext<'_, S>) {
        let metadata = event.metadata();
        let is_shown = *metadata.level() <= tracing::Level::INFO;
        if is_shown && metadata.target().starts_with("zerospan_export") {
            self.0.lock().unwrap().push(metadata.name());
        }
        if metadata.target().starts_with("zerospan_export") {
            let mut text = format!("{} {}", metadata.level(), metadata.name());
            event.record(
                &mut |field: &tracing::field::Field, value: &dyn std::fmt::Debug| {
                    text.push_str(&format!(" {field}={value:?}"));
                },
            );
            self.1.lock().unwrap().push(text);
        }
    }
}

/// Runs `test` in a process of its own, with what it logs: the log is the process's, and so are the limits on it.
fn alone(test: impl FnOnce(Log)) {
    dev::in_own_process(&[], || {
        let log = Log::default();
        let subscriber = tracing_subscriber::registry().with(log.clone());
        tracing::subscriber::set_global_default(subscriber).unwrap();
        test(log);
    });
}

/// A transport that returns the same for every request.
#[derive(Clone)]
struct Answers(
    Arc<dyn Fn(usize) -> Result<ExportResponse, SendError> + Send + Sync>,
    usize,
);

impl Transport for Answers {
    fn send(&mut self, _: &Request<'_>) -> Result<ExportResponse, SendError> {
        self.1 += 1;
        (self.0)(self.1)
    }
}

#[test]
fn whatever_happens_ten_thousand_times_is_logged_once_a_minute() {
    alone(|log| {
        let logged = || std::mem::take(&mut *log.0.lock().unwrap());
        let answering = |answer: fn(usize) -> Result<ExportResponse, SendError>| {
            let answers = Answers(Arc::new(answer), 0);
            quick()
                .with_transport(move || Ok(answers.clone()))
                .without_worker()
        };
        let flush_often = |pipeline: &Pipeline| {
            for round in 0..10_000 {
                record(pipeline, &scope("often"), round..round + 1);
                let _ = pipeline.force_flush(LONG);
            }
        };
        let flapping = |answer| {
            let pipeline = answering(answer).build().unwrap();
            flush_often(&pipeline);
            assert!(pipeline.stats().delivered >= 3_333);
            pipeline
        };
        let refuse_each_second = |count| match count % 2 {
            0 => Ok(ExportResponse::ALL),
            _ => Err(SendError::refused("no")),
        };
        drop(flapping(refuse_each_second));
        assert_eq!(logged(), ["ExportFailed", "ExportRecovered"]);
        drop(flapping(|count| match count % 2 {
            0 => Ok(ExportResponse::ALL),
            _ => Ok(ExportResponse::partial(1, "no")),
        }));
        assert_eq!(logged(), ["ExportPartialSuccess"]);
        // Two causes in turn are two events.
        drop(flapping(|count| match count % 3 {
            0 => Ok(ExportResponse::ALL),
            1 => Err(SendError::refused("no")),
            _ => Err(SendError::new(
                SendErrorKind::Unreachable,
                RetryHint::Never,
                "no",
            )),
        }));
        assert_eq!(
            logged(),
            ["ExportFailed", "ExportFailed", "ExportRecovered"]
        );

        let pipeline = answering(|_| Ok(ExportResponse::ALL)).build().unwrap();
        for round in 0..10_000 {
            assert!(
                pipeline
                    .record_encoded(&scope("often"), b"no span")
                    .is_err()
            );
            if round % 100 == 0 {
                record(&pipeline, &scope("often"), 0..1);
                pipeline.force_flush(LONG).unwrap();
            }
        }
        assert_eq!(logged(), ["ItemsDropped"]);

        for _ in 0..10_000 {
            let pipeline = answering(|_| Err(SendError::refused("no")))
                .build()
                .unwrap();
            record(&pipeline, &scope("often"), 0..1);
        }
        let dropped = logged();
        let count = |name| dropped.iter().filter(|event| **event == name).count();
        assert_eq!(count("PipelineDropped"), 1, "{dropped:?}");
    });
}

#[test]
fn an_outage_is_logged_once_and_its_end_too() {
    alone(outages);
}

fn outages(log: Log) {
    let down = Arc::new(AtomicBool::new(true));
    let collector = Collector::scripted(Protocol::HttpProtobuf, {
        let down = Arc::clone(&down);
        move |_| match down.load(Ordering::SeqCst) {
            true => Reply::Refuse,
            false => Reply::Take,
        }
    });
    let pipeline = quick()
        .with_otlp(collector.config())
        .with_batch(batch(|batch| {
            batch.max_queue_size = Some(10);
            batch.max_export_batch_size = Some(10);
        }))
        .build()
        .unwrap();
    for _ in 0..2 {
        down.store(true, Ordering::SeqCst);
        for round in 0..5 {
            record(&pipeline, &scope("log"), round..round + 1);
            assert!(pipeline.force_flush(LONG).is_err());
        }
        for _ in 0..5 {
            assert!(pipeline.record_encoded(&scope("log"), b"no span").is_err());
        }
        down.store(false, Ordering::SeqCst);
        record(&pipeline, &scope("log"), 9..10);
        assert_eq!(pipeline.force_flush(LONG), Ok(()));
    }
    let lines = log.0.lock().unwrap().clone();
    // The second is within a minute of the first.
    assert_eq!(lines, ["ExportFailed", "ItemsDropped", "ExportRecovered"]);
}

#[test]
fn the_words_of_a_collector_are_logged_at_debug_level_alone() {
    type Answer = fn(usize) -> Result<ExportResponse, SendError>;
    const REFUSED: Answer = |_| Err(SendError::refused("no").with_collector_message("token 42"));
    const IN_PART: Answer = |_| Ok(ExportResponse::partial(1, "token 42"));
    alone(|log| {
        for answer in [REFUSED, IN_PART] {
            let answers = Answers(Arc::new(answer), 0);
            let pipeline = quick()
                .with_transport(move || Ok(answers.clone()))
                .build()
                .unwrap();
            record(&pipeline, &scope("words"), 0..2);
            assert!(pipeline.force_flush(LONG).is_err());
            let lines = std::mem::take(&mut *log.1.lock().unwrap());
            let [event, words] = &lines[..] else {
                panic!("{lines:?}");
            };
            assert!(event.starts_with("WARN Export"), "{event}");
            assert!(!event.contains("token 42"), "{event}");
            assert!(words.starts_with("DEBUG CollectorMessage"), "{words}");
            assert!(words.contains("token 42"), "{words}");
        }
    });
}

#[test]
fn a_file_holds_each_request_after_its_length() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spans.otlp");
    for round in 0..2 {
        let file = FileTransport::new(&path).unwrap();
        let pipeline = quick().with_transport(file).build().unwrap();
        record(&pipeline, &scope("file"), round * 600..(round + 1) * 600);
        pipeline.shutdown(LONG).unwrap();
    }
    let bytes = std::fs::read(&path).unwrap();
    let mut rest = &bytes[..];
    let mut requests = Vec::new();
    while !rest.is_empty() {
        let length = prost::encoding::decode_varint(&mut rest).unwrap();
        let (request, behind) = rest.split_at(usize::try_from(length).unwrap());
        requests.push(request.to_vec());
        rest = behind;
    }
    let spans = received(&requests).remove("file").unwrap();
    assert!(spans.into_iter().eq(0..1200));
    let error = FileTransport::new(folder.path()).unwrap_err();
    assert!(error.to_string().starts_with("file cannot be"), "{error}");
}

#[test]
fn a_watch_tells_the_end_of_a_pipeline_without_keeping_it_open() {
    let collector = Collector::start(Protocol::HttpProtobuf);
    let pipeline = quick().with_otlp(collector.config()).build().unwrap();
    let watch = pipeline.watch();
    record(&pipeline, &scope("watch"), 0..5);
    assert_eq!(watch.stats().open, 5);
    drop(pipeline);
    assert_eq!(watch.stats().delivered, 5);
}
