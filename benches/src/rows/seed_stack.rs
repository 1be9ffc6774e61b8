//! What `zerospan-stack` and `zerospan-attributes` save where a span's attributes are built.

use super::workload::heap_vec;
use crate::{Budget, Contest, Row};
use opentelemetry::KeyValue;
use std::hint::black_box;
use zerospan_attributes::{Interner, Overlay, SharedAttributes};
use zerospan_core::{Attribute, AttributeSink, AttributeSource, AttributeValue, SinkError};
use zerospan_stack::InlineAttributes;

/// The rows of this area.
pub(super) const ROWS: &[Row] = &[
    Row {
        id: "seed.stack",
        peer: "8 formatted attributes in a Vec<KeyValue>",
        ours: "the same text in InlineAttributes, on the stack",
        budget: Budget::AtLeast(20.4),
        allocations: Some(0.0),
        prepare: stack,
    },
    Row {
        id: "seed.allocs",
        peer: "12 attributes of a request in a Vec<KeyValue>, read",
        ours: "the same, shared, static, interned and inline, read",
        budget: Budget::Allocations,
        allocations: Some(0.0),
        prepare: allocs,
    },
];

/// Room for the eight attributes, and a little more.
type Set = InlineAttributes<8, 128>;

fn stack() -> Contest {
    Contest::new(
        1,
        heap_vec,
        || inline(|set| _ = black_box(set)),
        |peer: Vec<KeyValue>, ()| inline(|set| same(&peer, set)),
    )
}

/// Builds what `heap_vec` does, on the stack, and hands it on the way such a set is used: by reference. Returning it would
/// copy it, as returning any array does.
///
/// An attribute that was not taken is found missing when the two sides are compared.
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

/// Whether both list the same attributes in the same order.
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

/// What every span of a service carries: owned text, as it is read from a configuration.
fn of_the_service() -> Vec<KeyValue> {
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

/// What differs from request to request, and comes in as borrowed text and numbers.
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

fn allocs() -> Contest {
    let service = of_the_service();
    let shared = SharedAttributes::new(of_the_service());
    let mut tenants = Interner::new(1_000, 64 * 1024);
    let (peer_request, ours_request) = (request(), request());
    Contest::new(
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
            (peer, ours) => Err(format!("the peer's digest is {peer:?}, ours {ours:?}")),
        },
    )
}

/// Every byte of every attribute, in order.
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
        // A text must not run into the next.
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
