//! The allocations that the README states.

use opentelemetry::{Key, KeyValue};
use zerospan_attributes::{
    COMMON_ATTRIBUTES, Interner, Overlay, SharedAttributes, StaticAttributes,
    ZeroCopyAttributeBuilder,
};
use zerospan_core::dev::{Allocations, CountingAllocator};
use zerospan_core::{
    Attribute, AttributeSink, AttributeSource, AttributeValue, EncodingFormat, SinkError,
};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator::system();

static STATIC: StaticAttributes =
    StaticAttributes::new(&[("db.system.name", AttributeValue::Str("postgresql"))]);

/// A sink that counts its attributes.
#[derive(Default)]
struct Counting(usize);

impl AttributeSink for Counting {
    fn push_attribute(&mut self, _: Attribute<'_>) -> Result<(), SinkError> {
        self.0 += 1;
        Ok(())
    }
}

fn assert_allocations<R>(expected: u64, work: impl FnOnce() -> R) -> R {
    Allocations::assert_counted();
    let (outcome, allocations) = Allocations::measure(work);
    assert_eq!(allocations.count, expected);
    outcome
}

#[test]
fn sharing_overlaying_and_listing_do_not_allocate() {
    let shared: SharedAttributes = (0..5)
        .map(|index| KeyValue::new(format!("key {index}"), "value"))
        .collect();
    let common = COMMON_ATTRIBUTES.clone();
    let listed = assert_allocations(0, || {
        let mut sink = Counting::default();
        let mut overlay: Overlay<_, (&str, &str), 3> = Overlay::new(shared.clone());
        assert_eq!(overlay.try_set(("key 1", "mine")), Ok(None));
        assert_eq!(overlay.try_set(("mine", "mine")), Ok(None));
        assert_eq!(sink.push_all(&overlay), Ok(()));
        assert_eq!(overlay.push_into(&mut sink), Ok(()));
        assert_eq!(sink.push_all(&STATIC), Ok(()));
        assert_eq!(sink.push_all(&common.clone()), Ok(()));
        sink.0
    });
    assert_eq!(listed, 6 + 6 + 1 + AttributeSource::len(&common));
}

#[test]
fn an_overlay_of_key_values_moves_them() {
    let shared = SharedAttributes::new([KeyValue::new("key", "value")]);
    let own = [KeyValue::new(String::from("own"), String::from("owned"))];
    assert_allocations(0, || {
        let mut overlay = shared.overlay::<KeyValue, 3>();
        for attribute in own {
            assert!(overlay.try_set(attribute).is_ok());
        }
        overlay.len()
    });
}

#[test]
fn building_attributes_does_not_allocate() {
    let builder = ZeroCopyAttributeBuilder::new(String::from("owned name"), "1.0");
    let request = String::from("7f3a");
    let attributes = assert_allocations(0, || builder.build_mixed_attributes(request));
    assert_eq!(attributes.len(), 3);
    assert_allocations(0, || builder.build_static_attributes());
    assert_allocations(0, || ZeroCopyAttributeBuilder::build_attribute("k", "v"));
}

#[test]
fn copying_the_attributes_allocates() {
    let builder = ZeroCopyAttributeBuilder::new("name", "1.0");
    let attributes = builder.build_mixed_attributes(String::from("7f3a"));
    assert_allocations(2, || attributes.to_vec());
}

#[test]
fn an_encoding_is_allocated_once() {
    const FORMAT: EncodingFormat = EncodingFormat::new("test");
    let encode = |set: &StaticAttributes| {
        set.encoding_cache()
            .and_then(|cache| cache.encoding(FORMAT, &mut |out| out.extend_from_slice(b"bytes")))
            .map_or(0, <[u8]>::len)
    };
    assert_eq!(encode(&STATIC), 5);
    assert_eq!(assert_allocations(0, || encode(&STATIC)), 5);
}

#[test]
fn an_attribute_of_known_texts_does_not_allocate() {
    let mut interner = Interner::default();
    drop(interner.intern("tenant"));
    drop(interner.intern("acme"));
    let attribute = assert_allocations(0, || {
        KeyValue::new(
            Key::from(interner.intern("tenant")),
            interner.intern("acme"),
        )
    });
    assert_eq!(attribute, KeyValue::new("tenant", "acme"));
    assert_allocations(1, || interner.intern("another"));
}
