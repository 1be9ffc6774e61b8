//! A collector, providers that export to memory, and headers.

use opentelemetry::propagation::{Extractor, Injector};
use opentelemetry::{Context, global};
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use zerospan_export::{InMemoryTransport, Pipeline, Signal};
use zerospan_otlp::{LogsRequestView, RequestView, ValueView};
use zerospan_tracing::Builder;

pub(crate) const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// The name of each span, or the body of each log record, and its trace, that a collector received.
pub(crate) type Received = Arc<Mutex<Vec<(String, String)>>>;

/// Starts a collector, which runs until the process ends.
pub(crate) fn collector() -> (String, Received) {
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
pub(crate) fn spans(body: &[u8]) -> Vec<(String, String)> {
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
pub(crate) fn log_records(body: &[u8]) -> Vec<(String, String)> {
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
pub(crate) fn builder() -> (Builder, InMemoryTransport) {
    let memory = InMemoryTransport::new();
    let pipeline = Pipeline::builder().with_transport(memory.clone());
    let pipeline = pipeline.build().expect("a pipeline");
    (zerospan_tracing::builder().with_exporter(pipeline), memory)
}

/// Returns a builder that exports spans and log records to memory.
pub(crate) fn builder_with_logs() -> (Builder, InMemoryTransport, InMemoryTransport) {
    let (builder, spans) = builder();
    let logs = InMemoryTransport::new();
    let pipeline = Pipeline::builder()
        .with_signal(Signal::Logs)
        .with_transport(logs.clone())
        .build();
    let builder = builder.with_log_exporter(pipeline.expect("a pipeline"));
    (builder, spans, logs)
}

#[derive(Default)]
pub(crate) struct Headers(pub(crate) HashMap<String, String>);

impl Headers {
    /// Returns the headers that the global propagator writes.
    pub(crate) fn of(context: &Context) -> Self {
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
pub(crate) fn caller() -> Context {
    let parent = ("traceparent".to_owned(), PARENT.to_owned());
    let headers = Headers(HashMap::from([parent]));
    global::get_text_map_propagator(|propagator| propagator.extract(&headers))
}
