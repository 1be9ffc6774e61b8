//! Building a span's attributes with `zerospan-stack` and `zerospan-attributes`.

use crate::comparison::{Budget, Comparison, Row};
use opentelemetry::KeyValue;
use std::hint::black_box;
use zerospan_attributes::{Interner, Overlay, SharedAttributes};
use zerospan_core::{Attribute, AttributeSink, AttributeSource, AttributeValue, SinkError};
use zerospan_stack::InlineAttributes;

pub(super) const ROWS: &[Row] = &[
    Row {
        id: "stack.attributes",
        peer: "8 formatted attributes in a Vec<KeyValue>",
        ours: "the same text in InlineAttributes, on the stack",
        budget: Budget::AtLeast(20.4),
        allocations: Some(0.0),
        prepare: stack,
    },
    Row {
        id: "attributes.request",
        peer: "12 attributes of a request in a Vec<KeyValue>, read",
        ours: "the same, shared, static, interned and inline, read",
        budget: Budget::Allocations,
        allocations: Some(0.0),
        prepare: request_attributes,
    },
];

/// Returns eight attributes with formatted keys and values, built without zerospan.
pub fn heap_vec() -> Vec<KeyValue> {
    (0..8).map(formatted_attribute).collect()
}

/// Returns an attribute with formatted key and value.
#[inline]
pub fn formatted_attribute(index: u64) -> KeyValue {
    let index = black_box(index);
    KeyValue::new(format!("key_{index}"), format!("value_{index}"))
}

type Set = InlineAttributes<8, 128>;

fn stack() -> Comparison {
    Comparison::new(
        1,
        heap_vec,
        || inline(|set| _ = black_box(set)),
        |peer: Vec<KeyValue>, ()| inline(|set| same(&peer, set)),
    )
}

/// Builds what `heap_vec` builds, and passes it by reference: returning it would copy the array. `same` notices an attribute
/// that did not fit.
fn inline<R>(read: impl FnOnce(&Set) -> R) -> R {
    let mut set = Set::new();
    for index in 0..8_u64 {
        let index = black_box(index);
        if set.try_push(("key_", index), ("value_", index)).is_err() {
            break;
        }
    }
    read(&set)
}

/// Checks that both list the same attributes in the same order.
fn same(peer: &impl AttributeSource, ours: &impl AttributeSource) -> Result<(), String> {
    let (mut expected, mut found): (Vec<Attribute<'_>>, Vec<Attribute<'_>>) = Default::default();
    peer.for_each(|attribute| expected.push(attribute));
    ours.for_each(|attribute| found.push(attribute));
    if expected == found {
        Ok(())
    } else {
        Err(format!("the peer built {expected:?}, ours {found:?}"))
    }
}

/// Returns the attributes of every span of a service: owned text, as from a configuration.
fn service_attributes() -> Vec<KeyValue> {
    [
        ("service.name", "checkout"),
        ("service.version", "1.4.2"),
        ("deployment.environment.name", "production"),
        ("cloud.region", "eu-central-1"),
        ("host.name", "worker-17"),
    ]
    .map(|(key, value)| KeyValue::new(key.to_owned(), value.to_owned()))
    .into()
}

struct Request {
    id: u64,
    tenant: String,
}

fn request() -> Request {
    Request {
        id: 48_151_623,
        tenant: String::from("acme"),
    }
}

fn request_attributes() -> Comparison {
    let service = service_attributes();
    let shared = SharedAttributes::new(service_attributes());
    let mut tenants = Interner::new(1_000, 64 * 1024);
    let (peer_request, ours_request) = (request(), request());
    Comparison::new(
        1,
        move || {
            let Request { id, tenant } = black_box(&peer_request);
            let mut attributes = service.clone();
            attributes.extend([
                KeyValue::new("http.request.method", "GET"),
                KeyValue::new("url.scheme", "https"),
                KeyValue::new("tenant", tenant.clone()),
                KeyValue::new("url.path", format!("/users/{id}/cart")),
                KeyValue::new("request.id", format!("req-{id}")),
                KeyValue::new(format!("app.shard.{}", id % 16), true),
                KeyValue::new("http.response.status_code", 200),
            ]);
            let mut digest = Digest::default();
            digest.push_all(&attributes).map(|()| digest)
        },
        move || {
            let Request { id, tenant } = black_box(&ours_request);
            let mut known: Overlay<_, KeyValue, 3> = shared.overlay();
            let mut formatted = InlineAttributes::<4, 128>::new();
            let built = known
                .try_set(KeyValue::new("http.request.method", "GET"))
                .is_ok()
                && known.try_set(KeyValue::new("url.scheme", "https")).is_ok()
                && known
                    .try_set(KeyValue::new("tenant", tenants.intern(tenant)))
                    .is_ok()
                && formatted
                    .try_push("url.path", ("/users/", id, "/cart"))
                    .is_ok()
                && formatted.try_push("request.id", ("req-", id)).is_ok()
                && formatted
                    .try_push_value(("app.shard.", id % 16), true)
                    .is_ok()
                && formatted
                    .try_push_value("http.response.status_code", 200)
                    .is_ok();
            let mut digest = Digest::default();
            known
                .push_into(&mut digest)
                .and_then(|()| digest.push_all(&formatted))
                .map(|()| (built, digest))
        },
        |peer, ours| match (peer, ours) {
            (Ok(peer), Ok((true, ours))) if peer == ours && peer.attributes == 12 => Ok(()),
            (peer, ours) => Err(format!("the digests are {peer:?} and {ours:?}")),
        },
    )
}

/// A hash of every byte of every attribute, in order.
#[derive(Debug, Default, PartialEq)]
struct Digest {
    attributes: usize,
    digest: u64,
}

impl Digest {
    fn take(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.digest = (self.digest ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
        // Separates one text from the next.
        self.digest = self.digest.rotate_left(7) ^ bytes.len() as u64;
    }
}

impl AttributeSink for Digest {
    fn push_attribute(&mut self, attribute: Attribute<'_>) -> Result<(), SinkError> {
        self.attributes += 1;
        self.take(attribute.key.as_bytes());
        match attribute.value {
            AttributeValue::Str(text) => self.take(text.as_bytes()),
            AttributeValue::I64(number) => self.take(&number.to_le_bytes()),
            AttributeValue::Bool(value) => self.take(&[value.into()]),
            _ => return Err(SinkError::Unsupported),
        }
        Ok(())
    }
}
