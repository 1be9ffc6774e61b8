//! The views compared with prost, on valid and invalid bytes.

use crate::damage::damage;
use crate::{decoded, spans, values};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{EntityRef, InstrumentationScope};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use proptest::collection::vec;
use proptest::prelude::*;
use prost::Message;
use zerospan_otlp::{DecodeErrorKind, RequestView, ScopeSpansView, SpanView, encode_span_data};

fn request() -> impl Strategy<Value = ExportTraceServiceRequest> {
    let spans = vec(spans::span().prop_map(Span::from), 0..3);
    let owners = (
        prop::option::of(values::resource()),
        prop::option::of(values::scope()),
    );
    let texts = (spans::text(), spans::text());
    (spans, values::attributes(), owners, texts).prop_map(
        |(mut spans, attributes, (resource, scope), (of_resource, of_scope))| {
            if let Some(span) = spans.first_mut() {
                span.attributes.extend(attributes);
            }
            ExportTraceServiceRequest {
                resource_spans: vec![ResourceSpans {
                    resource,
                    scope_spans: vec![ScopeSpans {
                        scope,
                        spans,
                        schema_url: of_scope,
                    }],
                    schema_url: of_resource,
                }],
            }
        },
    )
}

proptest! {
    #[test]
    fn bytes_that_prost_writes_are_read_as_prost_reads_them(request in request()) {
        let bytes = request.encode_to_vec();
        let read = decoded::request(&RequestView::new(&bytes))?;
        // NaN is not equal to itself, its encoding is.
        prop_assert_eq!(read.encode_to_vec(), bytes);
    }

    #[test]
    fn changed_bytes_are_read_or_refused_as_prost_does(
        request in request(),
        damage in damage(),
    ) {
        decoded::same_as_prost(&damage.apply_to(request.encode_to_vec()));
    }

    #[test]
    fn arbitrary_bytes_are_read_or_refused_as_prost_does(bytes in vec(any::<u8>(), 0..64)) {
        decoded::same_as_prost(&bytes);
    }

    #[test]
    fn encoded_spans_are_valid(span in spans::span()) {
        let mut bytes = Vec::new();
        encode_span_data(&span, &mut bytes);
        let view = ScopeSpansView::new(&bytes)?;
        view.validate()?;
        let expected = vec![Span::from(span)];
        prop_assert_eq!(decoded::scope_spans(&view)?.spans, expected);
    }
}

/// Returns the fault that `validate` finds in a span with `content`.
fn fault(content: &[u8]) -> Option<(usize, DecodeErrorKind)> {
    match SpanView::new(content).and_then(|span| span.validate()) {
        Ok(()) => None,
        Err(error) => Some((error.offset, error.kind)),
    }
}

#[test]
fn errors_have_the_offset_of_the_fault() {
    use DecodeErrorKind as Kind;
    assert_eq!(fault(&[]), None);
    assert_eq!(fault(&[0x30]), Some((1, Kind::Truncated)));
    assert_eq!(fault(&[0x30, 0x80]), Some((1, Kind::Truncated)));
    assert_eq!(
        fault(&[0x30, 0x01, 0x2a, 0x05, b'a']),
        Some((3, Kind::Truncated))
    );
    assert_eq!(fault(&[0x39, 1, 2, 3]), Some((1, Kind::Truncated)));
    assert_eq!(fault(&[0x00, 0x00]), Some((0, Kind::InvalidTag)));
    assert_eq!(
        fault(&[0x30, 0x01, 0x36, 0x01]),
        Some((2, Kind::InvalidTag))
    );
    assert_eq!(
        fault(&[0x2a, 0x01, 0xff]),
        Some((0, Kind::InvalidUtf8 { field: 5 }))
    );
    assert_eq!(
        fault(&[0x28, 0x01]),
        Some((0, Kind::WrongWireType { field: 5 }))
    );
    // The attributes of a span, of an event and of a link are messages.
    for (content, offset, field) in [
        (&[0x48, 1][..], 0, 9),
        (&[0x5a, 2, 0x18, 1], 2, 3),
        (&[0x6a, 2, 0x20, 1], 2, 4),
    ] {
        let expected = Some((offset, Kind::WrongWireType { field }));
        assert_eq!(fault(content), expected, "{content:?}");
    }
    // Of an event and of a link, before its attributes are read.
    let wrong = SpanView::new(&[0x5a, 2, 0x18, 1, 0x6a, 2, 0x20, 1]).unwrap();
    assert!(wrong.events().all(|event| event.is_err()));
    assert!(wrong.links().all(|link| link.is_err()));
    assert_eq!(fault(&[0x34]), Some((0, Kind::UnexpectedEndOfGroup)));
    assert_eq!(
        fault(&[0x7a, 0x00, 0x7a, 0x00]),
        Some((2, Kind::RepeatedMessage { field: 15 }))
    );
    let overlong = [
        0x30, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02,
    ];
    assert_eq!(fault(&overlong), Some((1, Kind::VarintTooLong)));
    let endless = [
        0x30, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01,
    ];
    assert_eq!(fault(&endless), Some((1, Kind::VarintTooLong)));
}

#[test]
fn unknown_fields_are_skipped_groups_included() {
    // Field 100 of each wire type, and a group with a group in it.
    let unknown = [
        0xa0, 0x06, 0x05, 0xa1, 0x06, 1, 2, 3, 4, 5, 6, 7, 8, 0xa2, 0x06, 2, 9, 9, 0xa5, 0x06, 1,
        2, 3, 4, 0xa3, 0x06, 0x0b, 0x10, 0x01, 0x0c, 0xa4, 0x06, 0x30, 0x02,
    ];
    assert_eq!(fault(&unknown), None);
    assert_eq!(SpanView::new(&unknown).map(|span| span.kind()), Ok(2));
    // A group with a field of each wire type.
    let group = [
        0xa3, 0x06, 0x08, 0x05, 0x11, 1, 2, 3, 4, 5, 6, 7, 8, 0x1a, 2, 0x0c, 9, 0x25, 1, 2, 3, 4,
        0xa4, 0x06, 0x30, 0x02,
    ];
    assert_eq!(SpanView::new(&group).map(|span| span.kind()), Ok(2));
    for end in [4, 12, 16, 21, 22] {
        assert!(SpanView::new(&group[..end]).is_err(), "{end} bytes");
    }
    let wrong_end = [0xa3, 0x06, 0x0c];
    assert_eq!(
        fault(&wrong_end),
        Some((2, DecodeErrorKind::UnexpectedEndOfGroup))
    );
}

/// A value within `levels` arrays.
fn nested(levels: usize) -> Vec<u8> {
    let mut value = Vec::new();
    for _ in 0..levels {
        // An `AnyValue` in an `ArrayValue` in an `AnyValue`.
        for tag in [0x0a, 0x2a] {
            let mut outer = vec![tag];
            prost::encode_length_delimiter(value.len(), &mut outer).unwrap();
            outer.append(&mut value);
            value = outer;
        }
    }
    let mut span = vec![0x4a];
    let mut attribute = vec![0x12];
    prost::encode_length_delimiter(value.len(), &mut attribute).unwrap();
    attribute.append(&mut value);
    prost::encode_length_delimiter(attribute.len(), &mut span).unwrap();
    span.append(&mut attribute);
    span
}

#[test]
fn a_nesting_bomb_is_refused_at_the_depth_at_which_prost_refuses_it() {
    for levels in [1, 10, 48, 49, 50, 51, 60, 1000, 20_000] {
        let bytes = nested(levels);
        let theirs = Span::decode(bytes.as_slice());
        let ours = SpanView::new(&bytes).and_then(|view| {
            view.validate()?;
            decoded::span(&view)
        });
        assert_eq!(theirs.is_ok(), ours.is_ok(), "{levels} levels: {ours:?}");
        if let Err(error) = ours {
            assert_eq!(error.kind, DecodeErrorKind::TooDeep);
        }
    }
    // Nested groups, which are skipped, not read.
    let groups = [0xa3, 0x06].repeat(100_000);
    assert_eq!(fault(&groups), Some((200, DecodeErrorKind::TooDeep)));
}

#[test]
fn a_replaced_value_must_be_valid_too() {
    // A value that is an array first, then the empty text. The value in the array ends after the array.
    let beyond = [0x2a, 0x04, 0x40, 0x00, 0x0a, 0x02, 0x0a, 0x00];
    // The same, with a valid array.
    let whole = [0x2a, 0x04, 0x40, 0x00, 0x0a, 0x00, 0x0a, 0x00];
    for (value, is_whole) in [(beyond, false), (whole, true)] {
        let attribute = [&[0x12, 8][..], &value].concat();
        let span = [&[0x4a, 10][..], &attribute].concat();
        assert_eq!(Span::decode(span.as_slice()).is_ok(), is_whole);
        assert_eq!(fault(&span).is_none(), is_whole);
        // As an attribute of a resource.
        let request = [&[0x0a, 14, 0x0a, 12, 0x0a, 10][..], &attribute].concat();
        decoded::same_as_prost(&request);
    }
}

#[test]
fn views_show_what_they_read() {
    let span = Span {
        name: "GET /".to_owned(),
        trace_id: vec![1; 16],
        span_id: vec![2; 8],
        events: vec![Event {
            name: "event".to_owned(),
            time_unix_nano: 7,
            ..Event::default()
        }],
        links: vec![Link {
            trace_id: vec![3; 16],
            span_id: vec![4; 8],
            ..Link::default()
        }],
        ..Span::default()
    };
    let request = ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(Resource {
                dropped_attributes_count: 9,
                entity_refs: vec![EntityRef {
                    schema_url: "https://example.com".to_owned(),
                    r#type: "host".to_owned(),
                    id_keys: vec!["id".to_owned()],
                    description_keys: vec![],
                }],
                ..Resource::default()
            }),
            scope_spans: vec![ScopeSpans {
                scope: Some(InstrumentationScope {
                    name: "scope".to_owned(),
                    version: "1".to_owned(),
                    ..InstrumentationScope::default()
                }),
                spans: vec![span],
                schema_url: String::new(),
            }],
            schema_url: String::new(),
        }],
    };
    let bytes = request.encode_to_vec();
    let view = RequestView::new(&bytes);
    let shows = |value: &dyn std::fmt::Debug, start: &str, parts: &[&str]| {
        let text = format!("{value:?}");
        assert!(text.starts_with(start), "{text}");
        for part in parts {
            assert!(text.contains(part), "{text} lacks {part}");
        }
    };
    shows(
        &view,
        "RequestView { ",
        &[&format!("bytes: {}", bytes.len())],
    );
    shows(&view.resource_spans(), "Repeated { number: 1", &[]);
    let resource_spans = view.resource_spans().next().unwrap().unwrap();
    shows(&resource_spans, "ResourceSpansView { ", &[]);
    let resource = resource_spans.resource().unwrap();
    shows(resource, "ResourceView { dropped_attributes: 9", &[]);
    let entity = resource.entity_refs().next().unwrap().unwrap();
    shows(
        &entity,
        "EntityRefView { ",
        &["https://example.com", "host"],
    );
    shows(&entity.id_keys(), "Texts { number: ", &[]);
    let scope_spans = resource_spans.scope_spans().next().unwrap().unwrap();
    shows(&scope_spans, "ScopeSpansView { ", &[]);
    shows(
        scope_spans.scope().unwrap(),
        "ScopeView { name: \"scope\", version: \"1\"",
        &[],
    );
    let span = scope_spans.spans().next().unwrap().unwrap();
    shows(&span, "SpanView { name: \"GET /\"", &["[1, 1, ", "[2, 2, "]);
    let event = span.events().next().unwrap().unwrap();
    shows(
        &event,
        "EventView { name: \"event\", time_unix_nanos: 7",
        &[],
    );
    let link = span.links().next().unwrap().unwrap();
    shows(&link, "LinkView { ", &["[3, 3, ", "[4, 4, "]);
}
