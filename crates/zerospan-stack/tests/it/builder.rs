use opentelemetry::trace::noop::NoopTracer;
use opentelemetry::trace::{Span, SpanBuilder, SpanKind, Tracer};
use opentelemetry::{Context, KeyValue};
use std::cell::RefCell;
use std::time::{Duration, SystemTime};
use zerospan_core::{Attribute, AttributeSink, ExtendError, SinkError};
use zerospan_stack::{FixedAttributes, InlineAttributes, StackAttributes, StackSpanBuilder};

/// A tracer that records its builders, and starts the no-op tracer's spans.
struct Keeping {
    tracer: NoopTracer,
    built: RefCell<Vec<SpanBuilder>>,
}

impl Keeping {
    fn new() -> Self {
        Self {
            tracer: NoopTracer::new(),
            built: RefCell::default(),
        }
    }
}

impl Tracer for Keeping {
    type Span = <NoopTracer as Tracer>::Span;

    fn build_with_context(&self, builder: SpanBuilder, parent: &Context) -> Self::Span {
        self.built.borrow_mut().push(builder.clone());
        self.tracer.build_with_context(builder, parent)
    }
}

#[test]
fn a_span_of_any_tracer_has_name_kind_time_and_attributes() {
    let tracer = Keeping::new();
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(7);
    let mut span = StackSpanBuilder::new(String::from("GET"))
        .with_kind(SpanKind::Server)
        .with_start_time(time)
        .with_attribute("method", "GET")
        .with_attributes([KeyValue::new("status", 200)])
        .start_with_context(&tracer, &Context::new());
    span.end();
    drop(StackSpanBuilder::new("bare").start(&tracer));

    let built = tracer.built.borrow();
    assert_eq!(built[0].name, "GET");
    assert_eq!(built[0].span_kind, Some(SpanKind::Server));
    assert_eq!(built[0].start_time, Some(time));
    assert_eq!(
        built[0].attributes,
        Some(vec![
            KeyValue::new("method", "GET"),
            KeyValue::new("status", 200)
        ])
    );
    assert_eq!(built[1].attributes, None);
    assert_eq!(built[1].span_kind, None);
}

#[test]
fn a_spilled_set_hands_over_its_memory() {
    let mut builder = StackSpanBuilder::with_set("span", StackAttributes::<2>::new());
    builder
        .attributes_mut()
        .extend((0..5).map(|index| KeyValue::new("key", index)));
    assert!(builder.attributes().spilled());
    let memory = builder.attributes().as_slice().as_ptr();
    let vector = builder.into_span_builder().attributes.unwrap_or_default();
    assert_eq!(vector.len(), 5);
    assert_eq!(vector.as_ptr(), memory);
}

/// A span that is an `AttributeSink` for up to two attributes.
struct Recording {
    builder: SpanBuilder,
    keys: Vec<String>,
}

impl Recording {
    fn start(builder: SpanBuilder) -> Self {
        Self {
            builder,
            keys: Vec::new(),
        }
    }
}

impl AttributeSink for Recording {
    fn push_attribute(&mut self, attribute: Attribute<'_>) -> Result<(), SinkError> {
        if self.keys.len() == 2 {
            return Err(SinkError::Full { capacity: 2 });
        }
        self.keys.push(attribute.key.to_owned());
        Ok(())
    }
}

#[test]
fn any_set_can_be_read_into_a_span_that_is_a_sink() {
    let mut inline = InlineAttributes::<4, 64>::new();
    assert_eq!(inline.try_push(("a", 1), 1), Ok(()));
    let (span, taken) = StackSpanBuilder::with_set("inline", &inline)
        .with_kind(SpanKind::Client)
        .start_into(Recording::start);
    assert_eq!(taken, Ok(()));
    assert_eq!(span.builder.name, "inline");
    assert_eq!(span.builder.span_kind, Some(SpanKind::Client));
    assert_eq!(span.builder.attributes, None);
    assert_eq!(span.keys, ["a1"]);

    let fixed: FixedAttributes = zerospan_stack::fixed_attributes!["a" => 1, "b" => 2];
    let (span, taken) = StackSpanBuilder::with_set("fixed", fixed).start_into(Recording::start);
    assert_eq!(taken, Ok(()));
    assert_eq!(span.keys, ["a", "b"]);
}

#[test]
fn a_span_that_rejects_attributes_is_started_with_an_error() {
    let pairs = [("a", 1), ("b", 2), ("c", 3), ("d", 4)];
    let (span, taken) = StackSpanBuilder::with_set("span", pairs).start_into(Recording::start);
    assert_eq!(
        taken,
        Err(ExtendError::new(2, SinkError::Full { capacity: 2 }))
    );
    assert_eq!(span.keys, ["a", "b"]);
}
