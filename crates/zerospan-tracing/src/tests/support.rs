use crate::TraceLayer;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{Layer, Registry};
use zerospan_export::Pipeline;
use zerospan_otlp::{AttributeView, DecodeError, RequestView, SpanView, ValueView};
use zerospan_trace::{Sampler, TracerProvider};
use zerospan_transport::InMemoryTransport;

/// A provider that exports to memory.
pub(crate) struct Exported {
    pub(crate) provider: TracerProvider,
    memory: InMemoryTransport,
}

/// A span as it was exported.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ExportedSpan {
    pub(crate) name: String,
    pub(crate) trace_id: Vec<u8>,
    pub(crate) span_id: Vec<u8>,
    pub(crate) parent: Vec<u8>,
    pub(crate) kind: i32,
    pub(crate) start: u64,
    pub(crate) end: u64,
    pub(crate) attributes: Attributes,
    pub(crate) events: Vec<(String, u64, Attributes)>,
    pub(crate) links: Vec<Vec<u8>>,
    pub(crate) status: (i32, String),
}

/// Keys and values, in order. A text is in quotes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Attributes(Vec<(String, String)>);

impl Attributes {
    /// Returns the value of a key, and checks that there is only one.
    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        let mut found = self.0.iter().filter(|(held, _)| held == key);
        let value = found.next().map(|(_, value)| value.as_str());
        assert!(found.next().is_none(), "{key} is there twice: {self:?}");
        value
    }
}

impl ExportedSpan {
    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.attributes.get(key)
    }
}

/// Returns the span of a name.
pub(crate) fn named<'a>(spans: &'a [ExportedSpan], name: &str) -> &'a ExportedSpan {
    let mut found = spans.iter().filter(|span| span.name == name);
    match (found.next(), found.next()) {
        (Some(span), None) => span,
        _ => panic!("not one span {name}: {spans:#?}"),
    }
}

impl Exported {
    pub(crate) fn new() -> Self {
        Self::with_sampler(Sampler::AlwaysOn)
    }

    pub(crate) fn with_sampler(sampler: Sampler) -> Self {
        let memory = InMemoryTransport::new();
        let pipeline = Pipeline::builder()
            .with_transport(memory.clone())
            .build()
            .expect("a pipeline in memory");
        let provider = TracerProvider::builder()
            .with_sampler(sampler)
            .with_exporter(pipeline)
            .build();
        Self { provider, memory }
    }

    pub(crate) fn layer(&self) -> TraceLayer {
        crate::layer(&self.provider)
    }

    /// Runs `work` with a subscriber of the layer alone, and returns the exported spans in the order of their ends.
    pub(crate) fn run(&self, work: impl FnOnce()) -> Vec<ExportedSpan> {
        self.run_with(self.layer(), work)
    }

    pub(crate) fn run_with(
        &self,
        layer: impl Layer<Registry> + Send + Sync,
        work: impl FnOnce(),
    ) -> Vec<ExportedSpan> {
        tracing::subscriber::with_default(Registry::default().with(layer), work);
        self.spans()
    }

    /// Returns the spans that ended since the last call.
    pub(crate) fn spans(&self) -> Vec<ExportedSpan> {
        self.provider.force_flush().expect("memory takes all");
        let mut spans = Vec::new();
        for request in self.memory.take() {
            for resource in RequestView::new(&request).resource_spans() {
                for scope in resource.expect("a resource").scope_spans() {
                    let scope = scope.expect("a scope");
                    spans.extend(scope.spans().map(|span| read(&span.expect("a span"))));
                }
            }
        }
        spans
    }
}

fn read(span: &SpanView<'_>) -> ExportedSpan {
    ExportedSpan {
        name: span.name().to_owned(),
        trace_id: span.trace_id().to_vec(),
        span_id: span.span_id().to_vec(),
        parent: span.parent_span_id().to_vec(),
        kind: span.kind(),
        start: span.start_unix_nanos(),
        end: span.end_unix_nanos(),
        attributes: attributes(span.attributes()),
        events: span
            .events()
            .map(|event| {
                let event = event.expect("an event");
                let name = event.name().to_owned();
                (
                    name,
                    event.time_unix_nanos(),
                    attributes(event.attributes()),
                )
            })
            .collect(),
        links: span
            .links()
            .map(|link| link.expect("a link").span_id().to_vec())
            .collect(),
        status: span.status().map_or((0, String::new()), |status| {
            (status.code(), status.message().to_owned())
        }),
    }
}

fn attributes<'a>(
    attributes: impl Iterator<Item = Result<AttributeView<'a>, DecodeError>>,
) -> Attributes {
    let text = |attribute: Result<AttributeView<'a>, DecodeError>| {
        let attribute = attribute.expect("an attribute");
        (attribute.key.to_owned(), value(attribute.value))
    };
    Attributes(attributes.map(text).collect())
}

fn value(value: Option<ValueView<'_>>) -> String {
    match value {
        Some(ValueView::Str(text)) => format!("{text:?}"),
        Some(ValueView::I64(number)) => number.to_string(),
        Some(ValueView::F64(number)) => format!("{number:?}"),
        Some(ValueView::Bool(flag)) => flag.to_string(),
        Some(ValueView::Bytes(bytes)) => format!("bytes {bytes:?}"),
        Some(ValueView::Array(values)) => {
            let values: Vec<_> = values.map(|one| self::value(one.ok())).collect();
            format!("[{}]", values.join(", "))
        }
        other => format!("{other:?}"),
    }
}
