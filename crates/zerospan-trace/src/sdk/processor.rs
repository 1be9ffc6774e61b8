use crate::sink::ProcessorError;
use crate::span::{FinishedSpan, IS_REMOTE, Processor, Span};
use opentelemetry::Context;
use opentelemetry::trace::{
    Event, Link, SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState,
};
use opentelemetry::{Array, KeyValue, StringValue, Value};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks, SpanProcessor};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use zerospan_core::log::{LogLimit, WarnOnce};
use zerospan_otlp::{AttributeView, DecodeError, SpanView, ValueView};

/// Passes spans to a processor of the official SDK, and through it to the SDK's exporters.
///
/// Builds the SDK's `SpanData` of each span, which allocates for every string and vector in it. Never calls the processor's
/// `on_start`, which takes the SDK's own span: the SDK's batch and simple processors do nothing there, and for any other this
/// is logged once, as `SdkProcessorWithoutStart`. Calls its `on_end` for spans that are exported, not for record-only ones.
#[derive(Debug)]
pub struct SdkProcessor<P> {
    processor: P,
    start_warning: WarnOnce,
    skip_warning: LogLimit,
}

impl<P: SpanProcessor> SdkProcessor<P> {
    /// Wraps `processor`.
    pub fn new(processor: P) -> Self {
        Self {
            processor,
            start_warning: WarnOnce::new(),
            skip_warning: LogLimit::new(),
        }
    }
}

impl<P: SpanProcessor> Processor for SdkProcessor<P> {
    fn on_start(&self, _span: &mut Span, _parent: &Context) {
        let name = std::any::type_name::<P>();
        if NOTHING_AT_START.iter().any(|known| name.starts_with(known)) {
            return;
        }
        self.start_warning.warn(move || {
            tracing::warn!(
                name: "SdkProcessorWithoutStart",
                processor = name,
                "`on_start` of a span processor of the official SDK is not called, since it takes the SDK's own span: \
                 implement zerospan's `Processor` if it does anything there"
            );
        });
    }

    fn on_end(&self, span: &FinishedSpan<'_>) {
        if !span.is_exported() {
            return;
        }
        match span_data(span) {
            Ok(data) => self.processor.on_end(data),
            Err(error) => self.skip_warning.log(move |skipped| {
                tracing::error!(
                    name: "SdkProcessorSkippedSpan",
                    skipped,
                    error = %error,
                    "an encoded span cannot be read, and is not passed to the SDK's processor"
                );
            }),
        }
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.processor.set_resource(resource);
    }

    /// Flushes within the SDK's own timeout, since its `force_flush` takes none.
    fn force_flush(&self, _timeout: Duration) -> Result<(), ProcessorError> {
        self.processor.force_flush().map_err(Into::into)
    }

    fn shutdown(&self, timeout: Duration) -> Result<(), ProcessorError> {
        self.processor
            .shutdown_with_timeout(timeout)
            .map_err(Into::into)
    }
}

/// Prefixes of the type names of processors whose `on_start` does nothing.
const NOTHING_AT_START: [&str; 2] = ["opentelemetry_sdk::trace::", "zerospan_sdk::"];

/// Converts a span to the SDK's form. Allocates for every string and vector in it.
fn span_data(span: &FinishedSpan<'_>) -> Result<SpanData, DecodeError> {
    let view = span.view()?;
    Ok(SpanData {
        span_context: span.span_context().clone(),
        parent_span_id: span.parent_span_id(),
        parent_span_is_remote: span.parent_is_remote(),
        span_kind: match view.kind() {
            2 => SpanKind::Server,
            3 => SpanKind::Client,
            4 => SpanKind::Producer,
            5 => SpanKind::Consumer,
            _ => SpanKind::Internal,
        },
        name: view.name().to_owned().into(),
        start_time: time(view.start_unix_nanos()),
        end_time: time(view.end_unix_nanos()),
        attributes: attributes(view.attributes())?,
        dropped_attributes_count: view.dropped_attributes(),
        events: events(&view)?,
        links: links(&view)?,
        status: match view.status() {
            Some(status) if status.code() == 1 => Status::Ok,
            Some(status) if status.code() == 2 => Status::error(status.message().to_owned()),
            _ => Status::Unset,
        },
        instrumentation_scope: span.instrumentation_scope().clone(),
    })
}

fn time(unix_nanos: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_nanos(unix_nanos)
}

fn events(view: &SpanView<'_>) -> Result<SpanEvents, DecodeError> {
    let mut events = SpanEvents::default();
    events.dropped_count = view.dropped_events();
    events.events = view
        .events()
        .map(|event| {
            let event = event?;
            Ok(Event::new(
                event.name().to_owned(),
                time(event.time_unix_nanos()),
                attributes(event.attributes())?,
                event.dropped_attributes(),
            ))
        })
        .collect::<Result<_, DecodeError>>()?;
    Ok(events)
}

fn links(view: &SpanView<'_>) -> Result<SpanLinks, DecodeError> {
    let mut links = SpanLinks::default();
    links.dropped_count = view.dropped_links();
    links.links = view
        .links()
        .map(|link| {
            let link = link?;
            let trace_id = link
                .trace_id()
                .try_into()
                .map_or(TraceId::INVALID, TraceId::from_bytes);
            let span_id = link
                .span_id()
                .try_into()
                .map_or(SpanId::INVALID, SpanId::from_bytes);
            let context = SpanContext::new(
                trace_id,
                span_id,
                TraceFlags::new(link.flags() as u8),
                link.flags() & IS_REMOTE != 0,
                link.trace_state().parse::<TraceState>().unwrap_or_default(),
            );
            Ok(Link::new(
                context,
                attributes(link.attributes())?,
                link.dropped_attributes(),
            ))
        })
        .collect::<Result<_, DecodeError>>()?;
    Ok(links)
}

fn attributes<'a>(
    attributes: impl Iterator<Item = Result<AttributeView<'a>, DecodeError>>,
) -> Result<Vec<KeyValue>, DecodeError> {
    attributes
        .map(|attribute| {
            let attribute = attribute?;
            let value = match attribute.value {
                Some(value) => owned(value)?,
                None => Value::from(""),
            };
            Ok(KeyValue::new(attribute.key.to_owned(), value))
        })
        .collect()
}

fn owned(value: ValueView<'_>) -> Result<Value, DecodeError> {
    Ok(match value {
        ValueView::Str(text) => Value::from(text.to_owned()),
        ValueView::Bool(value) => Value::Bool(value),
        ValueView::I64(value) => Value::I64(value),
        ValueView::F64(value) => Value::F64(value),
        ValueView::Array(values) => array(&values.collect::<Result<Vec<_>, _>>()?),
        // The recorder writes no other kind.
        _ => Value::from(""),
    })
}

/// Converts an array. The recorder writes no mixed one, so the first element decides the kind; the kind of an empty array is
/// unknown.
fn array(values: &[ValueView<'_>]) -> Value {
    let values = values.iter();
    Value::Array(match values.clone().next() {
        Some(ValueView::Bool(_)) => Array::Bool(values.filter_map(ValueView::as_bool).collect()),
        Some(ValueView::I64(_)) => Array::I64(values.filter_map(ValueView::as_i64).collect()),
        Some(ValueView::F64(_)) => Array::F64(values.filter_map(ValueView::as_f64).collect()),
        _ => Array::String(
            values
                .filter_map(ValueView::as_str)
                .map(|text| StringValue::from(text.to_owned()))
                .collect(),
        ),
    })
}
