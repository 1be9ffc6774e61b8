//! A layer that exports into memory, and its decoded spans.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value};
use opentelemetry_proto::tonic::trace::v1::{ScopeSpans, Span, span};
use prost::Message;
use std::fmt;
use tracing::Dispatch;
use tracing_subscriber::Registry;
use tracing_subscriber::layer::SubscriberExt;
use zerospan_export::{InMemoryTransport, Pipeline};
use zerospan_trace::{TracerProvider, TracerProviderBuilder};

/// A provider whose spans arrive in memory.
pub(crate) struct Rig {
    pub(crate) provider: TracerProvider,
    memory: InMemoryTransport,
}

impl Rig {
    pub(crate) fn new() -> Self {
        Self::with(|builder| builder)
    }

    pub(crate) fn with(setup: impl FnOnce(TracerProviderBuilder) -> TracerProviderBuilder) -> Self {
        let memory = InMemoryTransport::new();
        let pipeline = Pipeline::builder()
            .with_transport(memory.clone())
            .build()
            .expect("the defaults are valid");
        let provider = setup(TracerProvider::builder())
            .with_exporter(pipeline)
            .build();
        Self { provider, memory }
    }

    /// Returns a registry with the layer of this provider.
    pub(crate) fn dispatch(&self) -> Dispatch {
        Dispatch::new(Registry::default().with(zerospan_tracing::layer(&self.provider)))
    }

    /// Runs `work` under a registry with the layer of this provider, and returns what was exported.
    pub(crate) fn run(&self, work: impl FnOnce()) -> Spans {
        tracing::dispatcher::with_default(&self.dispatch(), work);
        self.spans()
    }

    /// Flushes, and returns the spans exported since the last call, in order of arrival.
    pub(crate) fn spans(&self) -> Spans {
        let scopes = self.scopes().into_iter();
        Spans(scopes.flat_map(|scope| scope.spans).collect())
    }

    /// Flushes, and returns the spans exported since the last call with their scopes, in order of arrival.
    pub(crate) fn scopes(&self) -> Vec<ScopeSpans> {
        let _ = self.provider.force_flush();
        let requests = self.memory.take();
        let requests = requests
            .iter()
            .map(|body| ExportTraceServiceRequest::decode(&**body).expect("canonical protobuf"));
        requests
            .flat_map(|request| request.resource_spans)
            .flat_map(|resource| resource.scope_spans)
            .collect()
    }
}

/// Runs `work` under a registry with the layer, and returns what was exported.
pub(crate) fn exported(work: impl FnOnce()) -> Spans {
    Rig::new().run(work)
}

pub(crate) struct Spans(pub(crate) Vec<Span>);

/// The names, and who is whose child.
impl fmt::Debug for Spans {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = self.0.iter().map(|span| {
            format!(
                "{} {:02x?} of {:02x?} in {:02x?}",
                span.name, span.span_id, span.parent_span_id, span.trace_id
            )
        });
        f.debug_list().entries(lines).finish()
    }
}

impl Spans {
    /// Returns the only span of that name.
    pub(crate) fn named(&self, name: &str) -> &Span {
        let mut found = self.0.iter().filter(|span| span.name == name);
        match (found.next(), found.next()) {
            (Some(span), None) => span,
            _ => panic!("not one span is called {name:?}: {self:#?}"),
        }
    }

    pub(crate) fn only(&self) -> &Span {
        match &self.0[..] {
            [span] => span,
            _ => panic!("not one span: {self:#?}"),
        }
    }

    pub(crate) fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.0.iter().map(|span| &*span.name).collect();
        names.sort_unstable();
        names
    }

    #[track_caller]
    pub(crate) fn assert_child(&self, child: &str, parent: &str) {
        let (child, parent) = (self.named(child), self.named(parent));
        assert_eq!(child.parent_span_id, parent.span_id, "{self:#?}");
        assert_eq!(child.trace_id, parent.trace_id, "{self:#?}");
    }

    #[track_caller]
    pub(crate) fn assert_root(&self, name: &str) {
        let span = self.named(name);
        assert!(span.parent_span_id.is_empty(), "{span:#?}");
    }
}

/// Returns the value of an attribute that must be there once.
#[track_caller]
pub(crate) fn value(attributes: &[KeyValue], key: &str) -> any_value::Value {
    try_value(attributes, key).unwrap_or_else(|| panic!("no {key}: {attributes:#?}"))
}

/// Returns the value of an attribute, which must not be there twice.
#[track_caller]
pub(crate) fn try_value(attributes: &[KeyValue], key: &str) -> Option<any_value::Value> {
    let mut found = attributes.iter().filter(|attribute| attribute.key == key);
    let value = found.next()?.value.clone()?.value;
    assert!(found.next().is_none(), "{key} twice: {attributes:#?}");
    value
}

pub(crate) fn text(text: impl Into<String>) -> any_value::Value {
    any_value::Value::StringValue(text.into())
}

pub(crate) fn int(value: i64) -> any_value::Value {
    any_value::Value::IntValue(value)
}

#[track_caller]
pub(crate) fn only_event(span: &Span) -> &span::Event {
    match &span.events[..] {
        [event] => event,
        events => panic!("not one event: {events:#?}"),
    }
}

/// Runs `work` on a thread of its own, and fails if it does not return.
#[track_caller]
pub(crate) fn returns<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, result) = std::sync::mpsc::channel();
    let thread = std::thread::spawn(move || {
        let _ = done.send(work());
    });
    match result.recv_timeout(std::time::Duration::from_secs(20)) {
        Ok(result) => result,
        Err(std::sync::mpsc::RecvTimeoutError::Timeout) => panic!("it does not return"),
        Err(_) => std::panic::resume_unwind(thread.join().expect_err("it panicked")),
    }
}
