//! The set-up of a process. Each test runs in a process of its own, with its own environment.
#![forbid(unsafe_code)]

use opentelemetry::propagation::{Extractor, Injector};
use opentelemetry::trace::{TraceContextExt, Tracer};
use opentelemetry::{Context, global};
use opentelemetry_sdk::Resource;
use std::collections::HashMap;
use std::error::Error;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tracing::field::{Field, Visit};
use tracing_subscriber::layer::{self, SubscriberExt};
use zerospan_export::{InMemoryTransport, OtlpConfig, Pipeline, Signal};
use zerospan_otlp::{LogRecordView, LogsRequestView, RequestView, ValueView};
use zerospan_tracing::{Builder, EventsTo, InitError, OpenTelemetrySpanExt};

const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// Set in the process of a test.
const ALONE: &str = "ZEROSPAN_TEST_ALONE";

/// Runs `test`, which is the test named `name`, in a process of its own with only these variables. Returns what it printed, or
/// `None` in that process.
fn alone(name: &str, variables: &[(&str, &str)], test: impl FnOnce()) -> Option<String> {
    if std::env::var_os(ALONE).is_some() {
        test();
        return None;
    }
    let this = std::env::current_exe().expect("this program lies somewhere");
    let mut command = Command::new(this);
    for (variable, _) in std::env::vars_os() {
        let name = variable.to_string_lossy();
        if name.starts_with("OTEL_") || name == "RUST_LOG" {
            command.env_remove(&variable);
        }
    }
    let ran = command
        .args(["--exact", name, "--nocapture"])
        .env(ALONE, "1")
        .envs(variables.iter().copied())
        .output()
        .expect("this program runs");
    let said = String::from_utf8_lossy(&ran.stdout).into_owned();
    let complaint = String::from_utf8_lossy(&ran.stderr);
    let has_passed = ran.status.success() && said.contains("1 passed");
    assert!(has_passed, "{said}{complaint}");
    Some(said)
}

/// The name of each span, or the body of each log record, and its trace, that a collector received.
type Received = Arc<Mutex<Vec<(String, String)>>>;

/// Starts a collector, which runs until the process ends.
fn collector() -> (String, Received) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    let received = Received::default();
    let kept = Arc::clone(&received);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let kept = Arc::clone(&kept);
            std::thread::spawn(move || converse(stream, &kept));
        }
    });
    (format!("http://{address}"), received)
}

/// Answers requests until the client closes the connection.
fn converse(stream: TcpStream, received: &Received) -> Option<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let (mut length, mut line, mut is_logs) = (0, String::new(), false);
        while line != "\r\n" {
            line.clear();
            if stream.read_line(&mut line).ok()? == 0 {
                return None;
            }
            is_logs |= line.starts_with("POST /v1/logs ");
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().ok()?;
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).ok()?;
        let mut received_now = received.lock().ok()?;
        match is_logs {
            true => received_now.extend(log_records(&body)),
            false => received_now.extend(spans(&body)),
        }
        drop(received_now);
        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
        stream.get_mut().write_all(answer).ok()?;
    }
}

/// Returns the name and the trace of each span of a request.
fn spans(body: &[u8]) -> Vec<(String, String)> {
    let mut spans = Vec::new();
    for resource in RequestView::new(body).resource_spans().flatten() {
        for scope in resource.scope_spans().flatten() {
            for span in scope.spans().flatten() {
                spans.push((span.name().to_owned(), hex(span.trace_id())));
            }
        }
    }
    spans
}

/// Returns the body and the trace of each log record of a request.
fn log_records(body: &[u8]) -> Vec<(String, String)> {
    let mut records = Vec::new();
    for resource in LogsRequestView::new(body).resource_logs().flatten() {
        for scope in resource.scope_logs().flatten() {
            for record in scope.log_records().flatten() {
                let text = record.body().and_then(ValueView::as_str);
                let text = text.unwrap_or_default().to_owned();
                records.push((text, hex(record.trace_id())));
            }
        }
    }
    records
}

fn hex(id: impl AsRef<[u8]>) -> String {
    id.as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Returns a builder that exports to memory.
fn builder() -> (Builder, InMemoryTransport) {
    let memory = InMemoryTransport::new();
    let pipeline = Pipeline::builder().with_transport(memory.clone());
    let pipeline = pipeline.build().expect("a pipeline");
    (zerospan_tracing::builder().with_exporter(pipeline), memory)
}

#[derive(Default)]
struct Headers(HashMap<String, String>);

impl Headers {
    /// Returns the headers that the global propagator writes.
    fn of(context: &Context) -> Self {
        let mut headers = Self::default();
        global::get_text_map_propagator(|propagator| {
            propagator.inject_context(context, &mut headers);
        });
        headers
    }
}

impl Injector for Headers {
    fn set(&mut self, key: &str, value: String) {
        self.0.insert(key.to_owned(), value);
    }
}

impl Extractor for Headers {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(String::as_str).collect()
    }
}

/// Returns the context of a caller, as the global propagator extracts it.
fn caller() -> Context {
    let parent = ("traceparent".to_owned(), PARENT.to_owned());
    let headers = Headers(HashMap::from([parent]));
    global::get_text_map_propagator(|propagator| propagator.extract(&headers))
}

/// A layer that keeps what is logged.
#[derive(Clone, Default)]
struct Logged(Arc<Mutex<Vec<String>>>);

impl<S: tracing::Subscriber> layer::Layer<S> for Logged {
    fn on_event(&self, event: &tracing::Event<'_>, _: layer::Context<'_, S>) {
        let mut line = Line(event.metadata().name().to_owned());
        event.record(&mut line);
        self.0.lock().expect("no panic").push(line.0);
    }
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.0.push_str(&format!(" {field}={value:?}"));
    }
}

#[test]
fn spans_go_where_the_environment_says_and_share_a_trace_with_those_of_the_api() {
    let (endpoint, received) = collector();
    let ran = alone(
        "spans_go_where_the_environment_says_and_share_a_trace_with_those_of_the_api",
        &[("OTEL_EXPORTER_OTLP_ENDPOINT", &*endpoint)],
        || {
            let guard = zerospan_tracing::init().expect("the first");
            tracing::info_span!("request").in_scope(|| {
                global::tracer("library").in_span("of the API", |_| {
                    tracing::info_span!("innermost").in_scope(|| {});
                });
                tracing::debug_span!("filtered out").in_scope(|| {});
            });
            guard.shutdown().expect("delivered");
        },
    );
    if ran.is_some() {
        let received = received.lock().expect("no panic").clone();
        let mut names: Vec<&str> = received.iter().map(|(name, _)| &**name).collect();
        names.sort_unstable();
        assert_eq!(names, ["innermost", "of the API", "request"]);
        assert!(received.iter().all(|(_, trace)| *trace == received[0].1));
    }
}

/// Returns a builder that exports spans and log records to memory.
fn builder_with_logs() -> (Builder, InMemoryTransport, InMemoryTransport) {
    let (builder, spans) = builder();
    let logs = InMemoryTransport::new();
    let pipeline = Pipeline::builder()
        .with_signal(Signal::Logs)
        .with_transport(logs.clone())
        .build();
    let builder = builder.with_log_exporter(pipeline.expect("a pipeline"));
    (builder, spans, logs)
}

#[test]
fn logs_go_where_the_environment_says_beside_the_spans_that_they_belong_to() {
    let (endpoint, received) = collector();
    let ran = alone(
        "logs_go_where_the_environment_says_beside_the_spans_that_they_belong_to",
        &[("OTEL_EXPORTER_OTLP_ENDPOINT", &*endpoint)],
        || {
            let builder = zerospan_tracing::builder().with_events(EventsTo::Logs);
            let guard = builder.init().expect("the first");
            tracing::info_span!("request").in_scope(|| tracing::info!("inside"));
            tracing::info!("outside");
            tracing::debug!("filtered out");
            #[cfg(feature = "log")]
            log::warn!(target: "db", "of log");
            guard.shutdown().expect("delivered");
        },
    );
    if ran.is_some() {
        let received = received.lock().expect("no panic").clone();
        let trace = |name: &str| {
            let mut found = received.iter().filter(|(held, _)| held == name);
            let (_, trace) = found
                .next()
                .unwrap_or_else(|| panic!("{name}: {received:?}"));
            assert!(found.next().is_none(), "{name} twice: {received:?}");
            trace.clone()
        };
        assert_eq!(trace("inside"), trace("request"));
        assert_eq!(trace("outside"), "");
        #[cfg(feature = "log")]
        assert_eq!(trace("of log"), "");
        let expected = if cfg!(feature = "log") { 4 } else { 3 };
        assert_eq!(received.len(), expected, "{received:?}");
    }
}

#[test]
fn dropping_the_guard_delivers_the_logs_too() {
    alone("dropping_the_guard_delivers_the_logs_too", &[], || {
        let (builder, traces, logs) = builder_with_logs();
        let guard = builder
            .with_events(EventsTo::Both)
            .with_resource(Resource::builder_empty().with_service_name("shop").build())
            .init()
            .expect("the first");
        tracing::info_span!("request").in_scope(|| tracing::info!("inside"));
        guard.flush().expect("delivered");
        assert_eq!(log_records(&logs.take()[0])[0].0, "inside");
        tracing::info!("last");
        let provider = guard.logger_provider().expect("logs are set up").clone();
        drop(guard);
        let last = logs.take();
        assert_eq!(log_records(&last[0])[0].0, "last");
        let request = LogsRequestView::new(&last[0]);
        let resource = request.resource_logs().next().expect("one").expect("valid");
        let shop = resource.resource().expect("set").attributes().flatten();
        let names = shop.filter(|attribute| attribute.key == "service.name");
        let names: Vec<_> = names
            .filter_map(|name| name.value?.as_str().map(str::to_owned))
            .collect();
        assert_eq!(names, ["shop"]);
        assert_eq!(spans(&traces.take()[0])[0].0, "request");
        assert!(provider.stats().is_balanced());
        assert!(provider.shutdown().is_err(), "the guard did it");
    });
}

/// Logs, opens a span and records on its span while it is formatted.
struct Chatty;

impl std::fmt::Debug for Chatty {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        tracing::info!(nested = ?Some(2), "nested");
        tracing::Span::current().record("late", 5);
        tracing::info_span!("nested").in_scope(|| {});
        f.write_str("formatted")
    }
}

fn a_value_that_logs(events: EventsTo) {
    let (builder, spans_out, logs) = builder_with_logs();
    let builder = builder.with_events(events);
    // `tracing` passes nested events on to the global subscriber alone.
    let builder = builder.map_layer(|layer| layer.with_span_fields_in_logs(["late", "kept"]));
    let guard = builder.init().expect("the first");
    let span = tracing::info_span!("span", late = tracing::field::Empty, kept = ?Chatty);
    span.in_scope(|| tracing::info!(first = 1, value = ?Chatty, last = 3, "of {:?}", Chatty));
    drop(span);
    let stats = guard.logger_provider().expect("set up").clone();
    guard.shutdown().expect("delivered");
    assert!(stats.stats().is_balanced());
    let requests = logs.take();
    let bodies: Vec<String> = requests
        .iter()
        .flat_map(|request| log_records(request))
        .map(|(body, _)| body)
        .collect();
    // The field of the span is formatted for the span and for the logs.
    let count = |body: &str| bodies.iter().filter(|held| *held == body).count();
    assert_eq!(
        (count("of formatted"), count("nested")),
        (1, 4),
        "{bodies:?}"
    );
    let request = LogsRequestView::new(&requests[0]);
    let resource = request.resource_logs().next().expect("one").expect("valid");
    let scope = resource.scope_logs().next().expect("one").expect("valid");
    let is_outer =
        |record: &LogRecordView<'_>| record.body().and_then(ValueView::as_str) != Some("nested");
    let outer = scope.log_records().flatten().find(is_outer).expect("there");
    let value = |key: &str| {
        let mut attributes = outer.attributes().flatten();
        let found = attributes.find(|attribute| attribute.key == key);
        found
            .and_then(|found| found.value)
            .map(|value| format!("{value:?}"))
    };
    for (key, expected) in [
        ("first", "I64(1)"),
        ("value", "Str(\"formatted\")"),
        ("last", "I64(3)"),
        ("late", "I64(5)"),
        ("kept", "Str(\"formatted\")"),
    ] {
        assert_eq!(value(key).as_deref(), Some(expected), "{key}");
    }
    let requests = spans_out.take();
    let spans = requests.iter().flat_map(|request| spans(request));
    assert_eq!(spans.filter(|(name, _)| name == "nested").count(), 4);
}

#[test]
fn a_value_that_logs_while_it_is_formatted_returns_and_each_record_is_whole() {
    alone(
        "a_value_that_logs_while_it_is_formatted_returns_and_each_record_is_whole",
        &[],
        || a_value_that_logs(EventsTo::Logs),
    );
}

#[test]
fn a_value_that_logs_while_it_is_formatted_for_both_returns_and_each_record_is_whole() {
    alone(
        "a_value_that_logs_while_it_is_formatted_for_both_returns_and_each_record_is_whole",
        &[],
        || a_value_that_logs(EventsTo::Both),
    );
}

#[test]
fn without_an_exporter_of_logs_spans_are_exported_and_no_event_is_visited() {
    alone(
        "without_an_exporter_of_logs_spans_are_exported_and_no_event_is_visited",
        &[("OTEL_LOGS_EXPORTER", "none")],
        || {
            let (builder, memory) = builder();
            let guard = builder
                .with_events(EventsTo::Logs)
                .init()
                .expect("the first");
            let pipelines = guard.logger_provider().expect("set up").pipelines();
            assert_eq!(pipelines.count(), 0);
            tracing::info_span!("request").in_scope(|| tracing::info!("nowhere"));
            guard.shutdown().expect("delivered");
            assert_eq!(spans(&memory.take()[0])[0].0, "request");
        },
    );
}

#[test]
fn variables_of_the_logs_that_cannot_be_used_are_logged_once_there_is_a_subscriber() {
    let variables = [
        ("OTEL_LOGS_EXPORTER", "console,none"),
        ("OTEL_BLRP_SCHEDULE_DELAY", "soon"),
        ("OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT", "many"),
    ];
    alone(
        "variables_of_the_logs_that_cannot_be_used_are_logged_once_there_is_a_subscriber",
        &variables,
        || {
            let logged = Logged::default();
            let other = logged.clone();
            let builder = zerospan_tracing::builder().with_events(EventsTo::Logs);
            let _guard = builder
                .init_with(|layer| tracing_subscriber::registry().with(layer).with(other))
                .expect("the first");
            let said = logged.0.lock().expect("no panic").clone();
            assert_eq!(said.len(), variables.len(), "{said:?}");
            for (name, _) in variables {
                assert!(said.iter().any(|line| line.contains(name)), "{said:?}");
            }
        },
    );
}

#[test]
fn a_collector_that_does_not_answer_costs_the_other_signal_nothing() {
    alone(
        "a_collector_that_does_not_answer_costs_the_other_signal_nothing",
        &[],
        || {
            // Takes connections, and never answers.
            let hung = TcpListener::bind("127.0.0.1:0").expect("a free port");
            let endpoint = format!("http://{}", hung.local_addr().expect("an address"));
            let config = || OtlpConfig::default().with_endpoint(endpoint.as_str());
            let memory = InMemoryTransport::new();
            let pipeline = |signal| Pipeline::builder().with_signal(signal);
            let in_memory = |signal| pipeline(signal).with_transport(memory.clone()).build();
            let in_memory = |signal| in_memory(signal).expect("a pipeline");
            let to_hung = |signal| pipeline(signal).with_otlp(config()).build();
            let to_hung = |signal| to_hung(signal).expect("a pipeline");
            for (traces, logs) in [
                (to_hung(Signal::Traces), in_memory(Signal::Logs)),
                (in_memory(Signal::Traces), to_hung(Signal::Logs)),
            ] {
                let builder = zerospan_tracing::builder().with_exporter(traces);
                let builder = builder.with_log_exporter(logs);
                let (layer, guard) = builder.build().expect("usable");
                let subscriber = tracing_subscriber::registry().with(layer);
                tracing::subscriber::with_default(subscriber, || {
                    tracing::info_span!("request").in_scope(|| tracing::info!("inside"));
                });
                let started = Instant::now();
                guard.shutdown().expect_err("one of both is lost");
                assert!(started.elapsed() < Duration::from_secs(8));
                assert_eq!(memory.take().len(), 1, "the other one is delivered");
            }
        },
    );
}

#[test]
fn dropping_the_guard_delivers() {
    alone("dropping_the_guard_delivers", &[], || {
        let (builder, memory) = builder();
        let resource = Resource::builder_empty().with_service_name("shop").build();
        let guard = builder.with_resource(resource).init().expect("the first");
        tracing::info_span!("request").in_scope(|| {});
        assert_eq!(memory.len(), 0);
        drop(guard);
        assert_eq!(spans(&memory.take()[0])[0].0, "request");
    });
}

#[test]
fn a_flush_delivers_and_tracing_goes_on() {
    alone("a_flush_delivers_and_tracing_goes_on", &[], || {
        let (builder, memory) = builder();
        let guard = builder.init().expect("the first");
        for delivered in 1..=3 {
            tracing::info_span!("request").in_scope(|| {});
            guard.flush().expect("delivered");
            assert_eq!(memory.len(), delivered);
        }
    });
}

#[test]
fn a_second_init_is_an_error_with_the_remedy_and_changes_nothing() {
    alone(
        "a_second_init_is_an_error_with_the_remedy_and_changes_nothing",
        &[],
        || {
            tracing::subscriber::set_global_default(tracing_subscriber::registry())
                .expect("the first");
            let (builder, memory) = builder();
            let error = builder.init().expect_err("the second");
            assert!(matches!(error, InitError::AlreadyInstalled(_)), "{error:?}");
            assert!(error.source().is_some());
            let said = error.to_string();
            assert!(said.contains("in place of") && said.contains("layer(&provider)"));
            // Neither the propagator nor the provider is installed.
            assert!(!caller().span().span_context().is_valid());
            global::tracer("library").in_span("of the API", |_| {});
            assert_eq!(memory.len(), 0);
        },
    );
}

#[test]
fn a_setting_in_code_that_cannot_be_used_is_an_error() {
    alone(
        "a_setting_in_code_that_cannot_be_used_is_an_error",
        &[("OTEL_TRACES_EXPORTER", "none")],
        || {
            let builder = zerospan_tracing::builder().with_default_filter("info=maybe");
            let error = builder.init().expect_err("no level");
            let cause = error.source().expect("a cause").to_string();
            assert!(cause.contains("info=maybe"), "{cause}");
            let _guard = zerospan_tracing::init().expect("nothing was installed before");
        },
    );
}

#[test]
fn variables_that_cannot_be_used_are_logged_once_there_is_a_subscriber() {
    let variables = [
        ("OTEL_TRACES_EXPORTER", "console,none"),
        ("OTEL_PROPAGATORS", "b3"),
        ("OTEL_TRACES_SAMPLER", "sometimes"),
        ("OTEL_BSP_SCHEDULE_DELAY", "soon"),
    ];
    alone(
        "variables_that_cannot_be_used_are_logged_once_there_is_a_subscriber",
        &variables,
        || {
            let logged = Logged::default();
            let other = logged.clone();
            let builder = zerospan_tracing::builder();
            let _guard = builder
                .init_with(|layer| tracing_subscriber::registry().with(layer).with(other))
                .expect("the first");
            let said = logged.0.lock().expect("no panic").clone();
            assert_eq!(said.len(), variables.len(), "{said:?}");
            for (name, _) in variables {
                let line = said.iter().find(|line| line.contains(name));
                let line = line.unwrap_or_else(|| panic!("{name}: {said:?}"));
                assert!(line.starts_with("SettingIgnored"), "{line:?}");
            }
        },
    );
}

#[test]
fn a_disabled_sdk_records_nothing_and_passes_the_callers_span_on() {
    alone(
        "a_disabled_sdk_records_nothing_and_passes_the_callers_span_on",
        &[("OTEL_SDK_DISABLED", "true")],
        || {
            let (builder, memory) = builder();
            let guard = builder.init().expect("the first");
            let span = tracing::info_span!("request");
            span.set_parent(caller())
                .expect("a span that has not started");
            let headers = Headers::of(&span.context());
            assert_eq!(headers.get("traceparent"), Some(PARENT));
            drop(span);
            guard.shutdown().expect("nothing to deliver");
            assert_eq!(memory.len(), 0);
        },
    );
}

#[test]
fn without_an_exporter_spans_get_ids() {
    alone(
        "without_an_exporter_spans_get_ids",
        &[("OTEL_TRACES_EXPORTER", "none")],
        || {
            let guard = zerospan_tracing::init().expect("the first");
            assert_eq!(guard.provider().pipelines().count(), 0);
            let span = tracing::info_span!("request");
            assert!(span.span_context().is_valid());
        },
    );
}

#[test]
fn the_propagators_are_those_of_the_environment() {
    alone(
        "the_propagators_are_those_of_the_environment",
        &[
            ("OTEL_PROPAGATORS", "none"),
            ("OTEL_TRACES_EXPORTER", "none"),
        ],
        || {
            let _guard = zerospan_tracing::init().expect("the first");
            let span = tracing::info_span!("request");
            assert!(Headers::of(&span.context()).0.is_empty());
        },
    );
}

#[cfg(feature = "env-filter")]
#[test]
fn the_filter_of_the_environment_may_name_spans() {
    alone(
        "the_filter_of_the_environment_may_name_spans",
        &[("RUST_LOG", "off,[checkout]=debug")],
        || {
            let (builder, memory) = builder();
            let guard = builder.init().expect("the first");
            tracing::info_span!("other").in_scope(|| {});
            tracing::info_span!("checkout").in_scope(|| {
                tracing::debug_span!("inside").in_scope(|| {});
            });
            guard.shutdown().expect("delivered");
            let sent = spans(&memory.take()[0]);
            let names: Vec<&str> = sent.iter().map(|(name, _)| &**name).collect();
            assert_eq!(names, ["inside", "checkout"]);
        },
    );
}

#[cfg(feature = "fmt")]
#[test]
fn events_are_printed_by_the_layer_for_it() {
    let printed = alone(
        "events_are_printed_by_the_layer_for_it",
        &[("OTEL_TRACES_EXPORTER", "none")],
        || {
            let builder = zerospan_tracing::builder().with_fmt();
            let _guard = builder.init().expect("the first");
            tracing::info_span!("request").in_scope(|| tracing::info!("hello from the test"));
        },
    );
    assert!(printed.is_none_or(|printed| printed.contains("hello from the test")));
}

#[test]
fn the_axum_example_continues_the_trace_of_its_caller_in_both_services() {
    let (endpoint, received) = collector();
    let mut program = std::env::current_exe().expect("this program lies somewhere");
    program.pop();
    if program.ends_with("deps") {
        program.pop();
    }
    let name = format!("axum{}", std::env::consts::EXE_SUFFIX);
    let ran = Command::new(program.join("examples").join(name))
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
        .output()
        .expect("the example is built with the tests");
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{ran:?}");
    let trace = "0af7651916cd43dd8448eb211c80319c";
    assert_eq!(said.trim(), format!("7 lamps, trace {trace}"));
    let received = received.lock().expect("no panic").clone();
    let mut names: Vec<&str> = received.iter().map(|(name, _)| &**name).collect();
    names.sort_unstable();
    assert_eq!(names, ["GET /cart", "GET /stock/{item}", "in_stock"]);
    assert!(received.iter().all(|(_, of)| of == trace), "{received:?}");
}
