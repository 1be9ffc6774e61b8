use crate::{Event, Link, OtlpSpan, ReplayError, Value};
use std::fmt;
use zerospan_otlp::protobuf::read_varint;
use zerospan_otlp::{AttributeView, DecodeError, RequestView, ResourceView, SpanView, ValueView};

/// Reads encoded requests back.
///
/// # Errors
///
/// [`ReplayError::Differs`] if the bytes are malformed, or hold what no replayed span has.
pub fn read_requests<'a>(
    requests: impl IntoIterator<Item = &'a [u8]>,
) -> Result<Vec<OtlpSpan>, ReplayError> {
    let mut spans = Vec::new();
    for request in requests {
        for resource in RequestView::new(request).resource_spans() {
            let resource = resource.map_err(unreadable)?;
            let (mut service, mut attributes) = (String::new(), Vec::new());
            for attribute in resource
                .resource()
                .into_iter()
                .flat_map(ResourceView::attributes)
            {
                let attribute = attribute.map_err(unreadable)?;
                if let ("service.name", Some(ValueView::Str(name))) =
                    (attribute.key, &attribute.value)
                {
                    service = (*name).to_owned();
                } else if !attribute.key.starts_with("telemetry.sdk.") {
                    attributes.push((attribute.key.to_owned(), value(attribute.value)?));
                }
            }
            attributes.sort_unstable();
            for scope in resource.scope_spans() {
                let scope = scope.map_err(unreadable)?;
                let named = scope.scope();
                let named = named.map_or((String::new(), String::new()), |scope| {
                    (scope.name().to_owned(), scope.version().to_owned())
                });
                for span in scope.spans() {
                    let mut span = read(&service, &span.map_err(unreadable)?)?;
                    span.resource.clone_from(&attributes);
                    span.scope.clone_from(&named);
                    spans.push(span);
                }
            }
        }
    }
    Ok(spans)
}

/// Reads back requests that each follow their length, as [`FileTransport`](zerospan_export::FileTransport) writes them.
///
/// # Errors
///
/// As [`read_requests`], and if the bytes end amid a request.
pub fn read_delimited(mut bytes: &[u8]) -> Result<Vec<OtlpSpan>, ReplayError> {
    let mut requests = Vec::new();
    while !bytes.is_empty() {
        let (length, rest) =
            read_varint(bytes).ok_or_else(|| unreadable("the file ends in a length"))?;
        let request = usize::try_from(length)
            .ok()
            .and_then(|length| rest.split_at_checked(length));
        let (request, rest) = request.ok_or_else(|| unreadable("the file ends in a request"))?;
        requests.push(request);
        bytes = rest;
    }
    read_requests(requests)
}

/// Compares the sent spans with the file's, in any order.
///
/// # Errors
///
/// [`ReplayError::Differs`] names the first span and field that is not the same.
pub fn check(given: &[OtlpSpan], sent: &[OtlpSpan]) -> Result<(), ReplayError> {
    let (mut given, mut sent) = (Vec::from(given), Vec::from(sent));
    given.sort_unstable();
    sent.sort_unstable();
    for (given, sent) in given.iter().zip(&sent) {
        compare(given, sent)?;
    }
    same("all", "the number of spans", &given.len(), &sent.len())
}

fn compare(given: &OtlpSpan, sent: &OtlpSpan) -> Result<(), ReplayError> {
    let span = &format!("{:032x}/{:016x}", given.trace_id, given.span_id);
    same(span, "the trace id", &given.trace_id, &sent.trace_id)?;
    same(span, "the span id", &given.span_id, &sent.span_id)?;
    same(span, "the parent's id", &given.parent_id, &sent.parent_id)?;
    same(span, "the service", &given.service, &sent.service)?;
    same(span, "the resource", &given.resource, &sent.resource)?;
    same(span, "the scope", &given.scope, &sent.scope)?;
    same(span, "the kind", &given.kind, &sent.kind)?;
    same(span, "the name", &given.name, &sent.name)?;
    same(span, "the start", &given.start, &sent.start)?;
    same(span, "the end", &given.end, &sent.end)?;
    same(span, "the attributes", &given.attributes, &sent.attributes)?;
    same(span, "the events", &given.events, &sent.events)?;
    same(span, "the links", &given.links, &sent.links)?;
    same(span, "the status", &given.is_ok, &sent.is_ok)?;
    same(span, "the error", &given.error, &sent.error)
}

fn same<T: PartialEq + fmt::Debug>(
    span: &str,
    field: &'static str,
    given: &T,
    sent: &T,
) -> Result<(), ReplayError> {
    if given == sent {
        return Ok(());
    }
    Err(ReplayError::Differs {
        span: span.to_owned(),
        field,
        given: format!("{given:?}"),
        sent: format!("{sent:?}"),
    })
}

fn read(service: &str, span: &SpanView<'_>) -> Result<OtlpSpan, ReplayError> {
    let id = |bytes: &[u8]| {
        bytes
            .iter()
            .fold(0_u128, |id, &byte| (id << 8) | u128::from(byte))
    };
    let span_id = id(span.span_id()) as u64;
    let name = &format!("{span_id:016x}");
    let dropped = (
        span.dropped_attributes(),
        span.dropped_events(),
        span.dropped_links(),
    );
    same(
        name,
        "what was dropped (attributes, events, links)",
        &(0, 0, 0),
        &dropped,
    )?;
    same(
        name,
        "the lengths of the ids",
        &(16, 8),
        &(span.trace_id().len(), span.span_id().len()),
    )?;
    same(name, "the trace state", &"", &span.trace_state())?;
    // Sampled, since it is in the file.
    same(name, "the trace flags", &1, &(span.flags() & 0xff))?;

    let attributes = pairs(span.attributes())?;
    let mut links = Vec::new();
    for link in span.links() {
        let link = link.map_err(unreadable)?;
        same(
            name,
            "the dropped attributes of a link",
            &0,
            &link.dropped_attributes(),
        )?;
        links.push(Link {
            trace_id: id(link.trace_id()),
            span_id: id(link.span_id()) as u64,
            attributes: pairs(link.attributes())?,
        });
    }
    let mut events = Vec::new();
    for event in span.events() {
        let event = event.map_err(unreadable)?;
        same(
            name,
            "the dropped attributes of an event",
            &0,
            &event.dropped_attributes(),
        )?;
        events.push(Event {
            time: event.time_unix_nanos(),
            name: event.name().to_owned(),
            attributes: pairs(event.attributes())?,
        });
    }
    Ok(OtlpSpan {
        trace_id: id(span.trace_id()),
        span_id,
        parent_id: Some(id(span.parent_span_id()) as u64).filter(|&id| id != 0),
        service: service.to_owned(),
        resource: Vec::new(),
        scope: (String::new(), String::new()),
        kind: span.kind(),
        name: span.name().to_owned(),
        start: span.start_unix_nanos(),
        end: span.end_unix_nanos(),
        attributes,
        events,
        links,
        is_ok: span.status().is_some_and(|status| status.code() == 1),
        error: span
            .status()
            .filter(|status| status.code() == 2)
            .map(|status| status.message().to_owned()),
    })
}

fn pairs<'a>(
    attributes: impl Iterator<Item = Result<AttributeView<'a>, DecodeError>>,
) -> Result<Vec<(String, Value)>, ReplayError> {
    attributes
        .map(|attribute| {
            let attribute = attribute.map_err(unreadable)?;
            Ok((attribute.key.to_owned(), value(attribute.value)?))
        })
        .collect()
}

fn value(given: Option<ValueView<'_>>) -> Result<Value, ReplayError> {
    match given {
        Some(ValueView::Str(text)) => Ok(Value::Text(text.to_owned())),
        Some(ValueView::I64(number)) => Ok(Value::Number(number)),
        Some(ValueView::Bool(flag)) => Ok(Value::Flag(flag)),
        Some(ValueView::F64(number)) => Ok(Value::Float(number.to_bits())),
        Some(ValueView::Array(values)) => values
            .map(|item| value(Some(item.map_err(unreadable)?)))
            .collect::<Result<_, _>>()
            .map(Value::List),
        other => Err(unreadable(format!("an attribute is {other:?}"))),
    }
}

fn unreadable(said: impl fmt::Display) -> ReplayError {
    ReplayError::Differs {
        span: "unknown".to_owned(),
        field: "a field",
        given: "readable".to_owned(),
        sent: format!("not ({said})"),
    }
}
