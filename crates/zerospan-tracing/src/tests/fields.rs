use super::support::{Exported, named};
use std::cell::Cell;
use std::error::Error;
use std::fmt;
use tracing::field::{Empty, debug};
use tracing::{error, info, info_span};
use zerospan_trace::Sampler;

#[test]
fn every_kind_of_value_keeps_its_type() {
    let exported = Exported::new();
    let spans = exported.run(|| {
        let bytes: &[u8] = &[0, 255];
        drop(info_span!(
            "values",
            small = 7_u64,
            large = u64::MAX,
            wide = 8_i128,
            wider = u128::MAX,
            size = 3_usize,
            nan = f64::NAN,
            bytes,
            none = None::<u64>,
            some = Some(5_u64),
            shown = %"shown",
            debugged = ?"debugged",
        ));
    });
    let span = named(&spans, "values");
    for (key, value) in [
        ("small", Some("7")),
        ("large", Some("\"18446744073709551615\"")),
        ("wide", Some("8")),
        ("wider", Some("\"340282366920938463463374607431768211455\"")),
        ("size", Some("3")),
        ("nan", Some("NaN")),
        ("bytes", Some("bytes [0, 255]")),
        ("none", None),
        ("some", Some("5")),
        ("shown", Some("\"shown\"")),
        ("debugged", Some("\"\\\"debugged\\\"\"")),
    ] {
        assert_eq!(span.get(key), value, "{key}");
    }
}

#[test]
fn an_event_whose_message_is_empty_is_named_after_its_callsite() {
    let exported = Exported::new();
    let spans = exported.run(|| {
        info_span!("span").in_scope(|| {
            info!(answer = 42);
            info!(message = "");
            info!("{}", "");
        });
    });
    let events = &named(&spans, "span").events;
    assert_eq!(events.len(), 3);
    for (name, ..) in events {
        assert!(name.starts_with("event "), "{name:?}");
    }
}

#[test]
fn special_fields_work_late_and_nonsense_stays_visible() {
    let exported = Exported::new();
    let spans = exported.run(|| {
        let span = info_span!(
            "first",
            otel.name = Empty,
            otel.kind = Empty,
            otel.status_code = Empty,
            otel.status_description = Empty,
            twice = 1
        );
        span.record("otel.name", "second");
        span.record("otel.kind", "Consumer");
        span.record("otel.status_description", "boom");
        span.record("otel.status_code", "ERROR");
        span.record("twice", 2);
        drop(span);
        let odd = info_span!("odd", otel.kind = "nonsense", otel.status_code = "OK");
        error!(parent: &odd, "after ok");
    });
    let span = named(&spans, "second");
    assert_eq!((span.kind, span.get("twice")), (5, Some("2")));
    assert_eq!(span.status, (2, "boom".to_owned()));
    let odd = named(&spans, "odd");
    assert_eq!((odd.kind, odd.get("otel.kind")), (1, Some("\"nonsense\"")));
    assert_eq!(odd.status, (1, String::new()));
}

#[derive(Debug)]
struct Failure(Option<Box<Failure>>);

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "outer" } else { "inner" })
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.as_deref().map(|source| source as _)
    }
}

#[derive(Debug)]
struct Cycle;

impl fmt::Display for Cycle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cycle")
    }
}

impl Error for Cycle {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self)
    }
}

#[test]
fn an_error_is_there_once_with_its_sources_as_one_text() {
    let exported = Exported::new();
    let spans = exported.run(|| {
        let span = info_span!("span");
        let _entered = span.enter();
        let failure = Failure(Some(Box::new(Failure(None))));
        error!(error = &failure as &dyn Error);
        error!(cause = &std::fmt::Error as &dyn Error, "with a message");
        error!(error = %failure);
        drop(info_span!("cyclic", error = &Cycle as &dyn Error));
    });
    let span = named(&spans, "span");
    let [(first, _, exception), (second, _, message), (third, ..)] = &span.events[..] else {
        panic!("{:?}", span.events);
    };
    assert_eq!((first.as_str(), third.as_str()), ("exception", "exception"));
    assert_eq!(exception.get("exception.message"), Some("\"outer\""));
    assert_eq!(
        exception.get("exception.stacktrace"),
        Some("\"caused by: inner\"")
    );
    assert_eq!(exception.get("error"), None);
    assert_eq!(second, "with a message");
    assert_eq!(message.get("exception.type"), Some("\"std::fmt::Error\""));
    assert_eq!(span.status, (2, "outer".to_owned()));
    let cyclic = named(&spans, "cyclic").get("exception.stacktrace");
    assert_eq!(cyclic.map(|text| text.matches("cycle").count()), Some(32));
}

#[test]
fn without_the_options_an_error_keeps_the_name_of_its_field() {
    let exported = Exported::new();
    let layer = exported
        .layer()
        .with_error_fields_to_exceptions(false)
        .with_error_records_to_exceptions(false)
        .with_error_events_to_exceptions(false)
        .with_error_events_to_status(false);
    let spans = exported.run_with(layer, || {
        let span = info_span!("span").entered();
        let failure = Failure(Some(Box::new(Failure(None))));
        error!(error = &failure as &dyn Error);
        drop(span);
    });
    let span = named(&spans, "span");
    let [(name, _, attributes)] = &span.events[..] else {
        panic!("{:?}", span.events);
    };
    assert!(name.starts_with("event "), "{name}");
    assert_eq!(attributes.get("error"), Some("\"outer\""));
    assert_eq!(attributes.get("error.chain"), Some("[\"inner\"]"));
    assert_eq!(span.get("exception.message"), None);
    assert_eq!(span.status, (2, String::new()));
}

#[test]
fn a_value_that_logs_and_records_while_it_is_formatted_returns() {
    struct Talkative(tracing::Span);
    impl fmt::Debug for Talkative {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.record("other", "by debug");
            self.0.in_scope(|| info!(nested = ?"value", "by debug"));
            drop(info_span!(parent: &self.0, "child of debug", nested = ?"value"));
            f.write_str("talkative")
        }
    }
    let exported = Exported::new();
    let subscriber = tracing_subscriber::layer::SubscriberExt::with(
        tracing_subscriber::Registry::default(),
        exported.layer(),
    );
    // Events inside of a hook reach the global subscriber alone.
    tracing::subscriber::set_global_default(subscriber).expect("this test has its own process");
    let span = info_span!("span", late = Empty, other = Empty);
    span.record("late", debug(Talkative(span.clone())));
    span.in_scope(|| info!(value = ?Talkative(span.clone()), "outer"));
    drop(info_span!("created", value = ?Talkative(span.clone())));
    drop(span);
    let spans = exported.spans();
    let span = named(&spans, "span");
    assert_eq!(span.get("late"), Some("\"talkative\""));
    assert_eq!(span.get("other"), Some("\"by debug\""));
    assert_eq!(span.events.len(), 4, "{:?}", span.events);
    assert_eq!(named(&spans, "created").get("value"), Some("\"talkative\""));
}

#[test]
fn a_value_that_panics_is_left_out_and_counted() {
    struct Panics;
    impl fmt::Debug for Panics {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            panic!("on purpose")
        }
    }
    let exported = Exported::new();
    let layer = exported.layer();
    let handle = layer.handle();
    let spans = exported.run_with(layer, || {
        let span = info_span!("span", bad = ?Panics, good = 1, late = Empty).entered();
        span.record("late", debug(Panics));
        info!(bad = ?Panics, good = 2, "event");
    });
    let span = named(&spans, "span");
    assert_eq!((span.get("bad"), span.get("good")), (None, Some("1")));
    assert_eq!(span.events[0].2.get("good"), Some("2"));
    assert_eq!(handle.stats().panicked_values, 3);
}

#[test]
fn no_field_of_a_span_that_is_not_sampled_is_visited() {
    struct Visited<'a>(&'a Cell<u32>);
    impl fmt::Debug for Visited<'_> {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.set(self.0.get() + 1);
            Ok(())
        }
    }
    let exported = Exported::with_sampler(Sampler::parent_based(Sampler::AlwaysOff));
    let visits = Cell::new(0);
    let spans = exported.run(|| {
        let span = info_span!("span", value = ?Visited(&visits), late = Empty).entered();
        span.record("late", debug(Visited(&visits)));
        info!(value = ?Visited(&visits), "event");
        drop(info_span!("child", value = ?Visited(&visits)));
    });
    assert_eq!((spans.len(), visits.get()), (0, 0));
}

#[test]
fn a_large_field_and_many_fields_are_taken_within_the_limits() {
    let exported = Exported::new();
    let large = "x".repeat(1 << 20);
    let spans = exported.run(|| {
        let span = info_span!("span", large = large.as_str(), formatted = %large).entered();
        for _ in 0..1_000 {
            info!("event");
        }
        drop(span);
    });
    let span = named(&spans, "span");
    assert_eq!(span.get("large").map(str::len), Some((1 << 20) + 2));
    assert_eq!(span.get("formatted").map(str::len), Some((1 << 20) + 2));
    assert_eq!(span.events.len(), 128);
}

#[test]
fn a_custom_sampler_reads_the_name_the_kind_and_the_fields() {
    use opentelemetry::trace::{Link, SpanKind, TraceId, TraceState};
    use opentelemetry::{Context, KeyValue, Value};
    use opentelemetry_sdk::trace::{SamplingDecision, SamplingResult, ShouldSample};

    #[derive(Clone, Debug)]
    struct ByField;
    impl ShouldSample for ByField {
        fn should_sample(
            &self,
            _: Option<&Context>,
            _: TraceId,
            name: &str,
            kind: &SpanKind,
            attributes: &[KeyValue],
            _: &[Link],
        ) -> SamplingResult {
            let is_wanted = attributes.iter().any(|attribute| {
                attribute.key.as_str() == "keep" && attribute.value == Value::Bool(true)
            });
            let decision = if is_wanted && name == "named" && *kind == SpanKind::Client {
                SamplingDecision::RecordAndSample
            } else {
                SamplingDecision::Drop
            };
            SamplingResult {
                decision,
                attributes: Vec::new(),
                trace_state: TraceState::default(),
            }
        }
    }
    let exported =
        Exported::with_sampler(Sampler::custom(Box::new(ByField) as Box<dyn ShouldSample>));
    let spans = exported.run(|| {
        drop(info_span!(
            "a",
            keep = true,
            otel.name = "named",
            otel.kind = "client"
        ));
        drop(info_span!(
            "b",
            keep = false,
            otel.name = "named",
            otel.kind = "client"
        ));
        drop(info_span!("c", keep = true));
    });
    assert_eq!(spans.len(), 1);
    let span = named(&spans, "named");
    assert_eq!((span.kind, span.get("keep")), (3, Some("true")));
    assert!(span.get("target").is_some());
}

#[test]
fn a_record_of_the_log_crate_keeps_its_own_target_and_place() {
    let exported = Exported::new();
    let spans = exported.run(|| {
        let _span = info_span!("span").entered();
        tracing::event!(
            target: "log",
            tracing::Level::INFO,
            "log.target" = "dependency",
            "log.module_path" = "dependency::module",
            "log.file" = "dependency/module.rs",
            "log.line" = 42_u64,
            "from log"
        );
    });
    let (name, _, attributes) = &named(&spans, "span").events[0];
    assert_eq!(name, "from log");
    for (key, value) in [
        ("target", Some("\"dependency\"")),
        ("code.module.name", Some("\"dependency::module\"")),
        ("code.file.path", Some("\"dependency/module.rs\"")),
        ("code.line.number", Some("42")),
        ("log.line", None),
        ("log.target", None),
    ] {
        assert_eq!(attributes.get(key), value, "{key}");
    }
}

#[test]
fn each_callsite_and_thread_keeps_its_own_attributes_however_many_there_are() {
    macro_rules! spans {
        ($($name:literal)+) => {
            [$((|| drop(info_span!(target: $name, $name))) as fn()),+]
        };
    }
    let callsites = spans!("a" "b" "c" "d" "e" "f" "g" "h" "i" "j" "k" "l" "m" "n" "o" "p" "q" "r");
    for thread in ["one", "other"] {
        let work = move || {
            let exported = Exported::new();
            exported.run(|| {
                // First in turns, then each often enough to take a place from another.
                (0..3).for_each(|_| callsites.iter().for_each(|span| span()));
                for span in callsites {
                    (0..20).for_each(|_| span());
                }
                callsites.iter().for_each(|span| span());
            })
        };
        let builder = std::thread::Builder::new().name(thread.to_owned());
        let running = builder.spawn(work).expect("a thread starts");
        let spans = running.join().expect("no panic");
        assert_eq!(spans.len(), 24 * callsites.len());
        for span in &spans {
            assert_eq!(span.get("target"), Some(&*format!("{:?}", span.name)));
            assert_eq!(span.get("thread.name"), Some(&*format!("{thread:?}")));
            let keys = ["target", "code.line.number", "thread.id", "thread.name"];
            assert!(keys.iter().all(|key| span.get(key).is_some()));
        }
    }
}
