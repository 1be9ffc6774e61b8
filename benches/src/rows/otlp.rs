//! Writing spans straight into a buffer against building messages and encoding them.

use super::http::{SPANS, context, spans, time};
use crate::comparison::{Budget, Comparison, Row};
use crate::pipelines::resource;
use opentelemetry::trace::{Event, Link, SpanContext, Status};
use opentelemetry::{KeyValue, Value};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use opentelemetry_proto::transform::trace::tonic::group_spans_by_resource_and_scope;
use opentelemetry_sdk::trace::SpanData;
use prost::{EncodeError, Message};
use std::cell::RefCell;
use std::hint::black_box;
use std::rc::Rc;
use zerospan_core::Reset;
use zerospan_otlp::{BatchEncoder, EncodedResource, SpanRecorder, SpanStart, StaticKey};

pub(super) const ROWS: &[Row] = &[
    Row {
        id: "otlp.encode",
        peer: "512 SpanData of 8 attributes: official grouping, which takes the batch, prost encode",
        ours: "the same batch through BatchEncoder, then released",
        budget: Budget::AtLeast(15.0),
        allocations: Some(0.0),
        prepare: || encode(|_| {}, Batch::Released),
    },
    Row {
        id: "otlp.events",
        peer: "the same with 2 events of 3 attributes and 1 link a span",
        ours: "the same batch through BatchEncoder, then released",
        budget: Budget::AtLeast(12.0),
        allocations: Some(0.0),
        prepare: || encode(add_events_and_link, Batch::Released),
    },
    Row {
        id: "otlp.borrowed",
        peer: "as otlp.encode",
        ours: "the same batch through BatchEncoder, which only borrows it",
        budget: Budget::AtLeast(15.0),
        allocations: Some(0.0),
        prepare: || encode(|_| {}, Batch::Borrowed),
    },
    Row {
        id: "otlp.borrowed_events",
        peer: "as otlp.events",
        ours: "the same batch through BatchEncoder, which only borrows it",
        budget: Budget::AtLeast(35.0),
        allocations: Some(0.0),
        prepare: || encode(add_events_and_link, Batch::Borrowed),
    },
    Row {
        id: "otlp.owned",
        peer: "as otlp.encode, each of the 5 texts on the heap",
        ours: "the same batch through BatchEncoder, then released",
        budget: Budget::AtLeast(6.0),
        allocations: Some(0.0),
        prepare: || encode(own_texts, Batch::Released),
    },
    Row {
        id: "otlp.static",
        peer: "8 attributes set as KeyValue, span finished",
        ours: "the same attributes set with a StaticKey",
        budget: Budget::AtLeast(1.8),
        allocations: Some(0.0),
        prepare: static_keys,
    },
    Row {
        id: "otlp.ceiling",
        peer: "the bytes of the same 512 spans, only copied",
        ours: "the batch through BatchEncoder, not released",
        budget: Budget::AtMost(15.0),
        allocations: Some(0.0),
        prepare: ceiling,
    },
];

/// Moves every text to the heap, so that releasing the span frees it.
fn own_texts(span: &mut SpanData) {
    for attribute in &mut span.attributes {
        if let Value::String(text) = &attribute.value {
            attribute.value = Value::String(text.as_str().to_owned().into());
        }
    }
}

fn add_events_and_link(span: &mut SpanData) {
    for (name, nanos) in [("cache.lookup", 20_000), ("row.decoded", 90_000)] {
        let attributes = vec![
            KeyValue::new("cache.key", "users"),
            KeyValue::new("cache.hit", false),
            KeyValue::new("cache.size", 4_096),
        ];
        span.events
            .events
            .push(Event::new(name, time(nanos), attributes, 0));
    }
    span.links.links.push(Link::with_context(context(7)));
}

/// A buffer that a side reuses in each run.
pub(super) type Buffer = Rc<RefCell<Vec<u8>>>;

/// The treatment of an encoded batch on our side; the official transform consumes it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Batch {
    /// Leaves it to its owner.
    Borrowed,
    /// Drops it within the time.
    Released,
}

fn encode(change: fn(&mut SpanData), fate: Batch) -> Comparison {
    let mut spans = spans();
    spans.iter_mut().for_each(change);
    let official = ResourceAttributesWithSchema::from(&resource());
    let encoded = EncodedResource::from_sdk(&resource());
    let (peer, ours) = (Buffer::default(), Buffer::default());
    let mut encoder = BatchEncoder::new();
    // Refilled before each run: both sides find their batch in the same memory.
    let batch = Rc::new(RefCell::new(Vec::new()));
    let (peer_batch, our_batch) = (Rc::clone(&batch), Rc::clone(&batch));
    Comparison::new(
        SPANS,
        move || {
            let resource_spans = group_spans_by_resource_and_scope(peer_batch.take(), &official);
            let request = ExportTraceServiceRequest { resource_spans };
            let mut bytes = peer.borrow_mut();
            bytes.clear();
            let outcome = request.encode(&mut *bytes);
            outcome.map(|()| Rc::clone(&peer))
        },
        move || {
            let mut bytes = ours.borrow_mut();
            bytes.clear();
            encoder.encode(&encoded, &our_batch.borrow(), &mut bytes);
            if fate == Batch::Released {
                our_batch.take();
            }
            Rc::clone(&ours)
        },
        |peer: Result<Buffer, EncodeError>, ours: Buffer| {
            let peer = peer.map_err(|error| error.to_string())?;
            same(&peer.borrow(), &ours.borrow())
        },
    )
    .with_preparation(move || {
        batch.take();
        batch.replace(spans.clone());
    })
}

fn same(peer: &[u8], ours: &[u8]) -> Result<(), String> {
    let decode =
        |bytes| ExportTraceServiceRequest::decode(bytes).map_err(|error| error.to_string());
    if decode(peer)? != decode(ours)? {
        return Err("the two requests differ in content".to_owned());
    }
    if peer != ours {
        return Err("the two requests differ in bytes".to_owned());
    }
    Ok(())
}

const METHOD: StaticKey = StaticKey::new("http.request.method");
const SCHEME: StaticKey = StaticKey::new("url.scheme");
const ROUTE: StaticKey = StaticKey::new("http.route");
const PATH: StaticKey = StaticKey::new("url.path");
const STATUS: StaticKey = StaticKey::new("http.response.status_code");
const PORT: StaticKey = StaticKey::new("server.port");
const CLIENT: StaticKey = StaticKey::new("client.address");
const ENCRYPTED: StaticKey = StaticKey::new("network.peer.encrypted");

fn static_keys() -> Comparison {
    let (peer, ours) = (Buffer::default(), Buffer::default());
    let (mut general, mut constant) = (SpanRecorder::new(), SpanRecorder::new());
    let identity = context(1);
    let other = identity.clone();
    Comparison::new(
        1,
        move || {
            begin(&mut general, &identity);
            let method = black_box("GET");
            for attribute in [
                KeyValue::new(METHOD.as_str(), method),
                KeyValue::new(SCHEME.as_str(), black_box("https")),
                KeyValue::new(ROUTE.as_str(), black_box("/users/{id}")),
                KeyValue::new(PATH.as_str(), black_box("/users/1000042")),
                KeyValue::new(STATUS.as_str(), black_box(200)),
                KeyValue::new(PORT.as_str(), black_box(8443)),
                KeyValue::new(CLIENT.as_str(), black_box("203.0.113.142")),
                KeyValue::new(ENCRYPTED.as_str(), black_box(true)),
            ] {
                general.set_attribute((&attribute).into());
            }
            finish(&mut general, &peer)
        },
        move || {
            begin(&mut constant, &other);
            constant.set(&METHOD, black_box("GET"));
            constant.set(&SCHEME, black_box("https"));
            constant.set(&ROUTE, black_box("/users/{id}"));
            constant.set(&PATH, black_box("/users/1000042"));
            constant.set(&STATUS, black_box(200));
            constant.set(&PORT, black_box(8443));
            constant.set(&CLIENT, black_box("203.0.113.142"));
            constant.set(&ENCRYPTED, black_box(true));
            finish(&mut constant, &ours)
        },
        |peer: Buffer, ours: Buffer| {
            if *peer.borrow() == *ours.borrow() {
                Ok(())
            } else {
                Err("the two spans differ in bytes".to_owned())
            }
        },
    )
}

const START: u64 = 1_780_000_000_000_000_000;

pub(super) fn begin(span: &mut SpanRecorder, context: &SpanContext) {
    span.begin(&SpanStart::new(context, "GET /users/{id}", START));
}

pub(super) fn finish(span: &mut SpanRecorder, into: &Buffer) -> Buffer {
    let mut bytes = into.borrow_mut();
    bytes.clear();
    span.finish(START + 250_000, &Status::Unset, &mut bytes);
    span.reset();
    Rc::clone(into)
}

fn ceiling() -> Comparison {
    let batch = spans();
    let encoded = EncodedResource::from_sdk(&resource());
    let mut encoder = BatchEncoder::new();
    let mut written = Vec::new();
    encoder.encode(&encoded, &batch, &mut written);
    let (peer, ours) = (Buffer::default(), Buffer::default());
    Comparison::new(
        SPANS,
        move || {
            let mut bytes = peer.borrow_mut();
            bytes.clear();
            bytes.extend_from_slice(black_box(&written));
            Rc::clone(&peer)
        },
        move || {
            let mut bytes = ours.borrow_mut();
            bytes.clear();
            encoder.encode(&encoded, &batch, &mut bytes);
            Rc::clone(&ours)
        },
        |peer: Buffer, ours: Buffer| same(&peer.borrow(), &ours.borrow()),
    )
}
