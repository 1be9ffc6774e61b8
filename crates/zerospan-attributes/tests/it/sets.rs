use opentelemetry::{Key, KeyValue, Value};
use proptest::prelude::{any, prop, prop_assert_eq, proptest};
use std::borrow::Cow;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use zerospan_attributes::{
    COMMON_ATTRIBUTES, SharedAttributes, StaticAttributes, ZeroCopyAttributeBuilder,
};
use zerospan_core::dev::conformance;
use zerospan_core::{AttributeSource, AttributeValue, EncodingFormat};

static STATIC: StaticAttributes = StaticAttributes::new(&[
    ("text", AttributeValue::Str("välue")),
    ("", AttributeValue::I64(7)),
]);
const FORMAT: EncodingFormat = EncodingFormat::new("test");

fn pair(key: &'static str, value: &'static str) -> KeyValue {
    KeyValue::new(key, value)
}

#[test]
fn every_set_is_a_source() {
    let expected = [
        ("text", AttributeValue::Str("välue")),
        ("", AttributeValue::I64(7)),
    ];
    conformance::check_source(&STATIC, &expected);
    let shared: SharedAttributes = [pair("text", "välue"), KeyValue::new("", 7)].into();
    conformance::check_source(&shared, &expected);
    conformance::check_source(&shared.clone(), &expected);

    static TEXTS: StaticAttributes<&str> = StaticAttributes::new(&[("a", "1"), ("b", "")]);
    let expected = [
        ("a", AttributeValue::Str("1")),
        ("b", AttributeValue::Str("")),
    ];
    conformance::check_source(&TEXTS, &expected);
    static NONE: StaticAttributes = StaticAttributes::new(&[]);
    let none: [(&str, AttributeValue<'_>); 0] = [];
    conformance::check_source(&NONE, &none);
    conformance::check_source(&SharedAttributes::default(), &none);

    let builder = ZeroCopyAttributeBuilder::new("shop", String::from("1.2"));
    conformance::check_source(
        &builder.build_mixed_attributes("7f"),
        &[
            ("service.name", AttributeValue::Str("shop")),
            ("service.version", AttributeValue::Str("1.2")),
            ("request.id", AttributeValue::Str("7f")),
        ],
    );
}

#[test]
fn common_attributes_describe_the_process_and_name_no_service() {
    let key = |key| {
        COMMON_ATTRIBUTES
            .iter()
            .find(|pair| pair.key == Key::new(key))
    };
    assert_eq!(
        key("telemetry.sdk.language").map(|pair| &pair.value),
        Some(&Value::from("rust"))
    );
    assert!(key("os.type").is_some() && key("host.arch").is_some());
    assert!(key("process.executable.name").is_some());
    assert_eq!(key("service.name"), None);
    assert!(COMMON_ATTRIBUTES.clone().is_same(&COMMON_ATTRIBUTES));
}

#[test]
fn static_text_is_borrowed_and_owned_text_is_moved() {
    let owned = String::from("owned");
    let memory = owned.as_ptr();
    let attribute = ZeroCopyAttributeBuilder::build_attribute("key", owned);
    assert_eq!(attribute.value.as_str().as_ptr(), memory);

    let text: &'static str = "static";
    let attribute = ZeroCopyAttributeBuilder::build_attribute("key", Cow::Borrowed(text));
    assert_eq!(attribute.value.as_str().as_ptr(), text.as_ptr());

    let builder = ZeroCopyAttributeBuilder::new(String::from("name"), text);
    let (first, second) = (
        builder.build_static_attributes(),
        builder.build_static_attributes(),
    );
    assert_eq!(
        first[0].value.as_str().as_ptr(),
        second[0].value.as_str().as_ptr(),
        "an owned name is shared"
    );
}

#[test]
fn a_set_is_encoded_once_for_all_its_clones() {
    let shared = SharedAttributes::new([pair("key", "value")]);
    let encoded = Cell::new(0);
    let mut encode = |out: &mut Vec<u8>| {
        encoded.set(encoded.get() + 1);
        out.extend_from_slice(b"bytes");
    };
    for set in [shared.clone(), shared.clone(), shared] {
        let cache = set.encoding_cache();
        let bytes = cache.and_then(|cache| cache.encoding(FORMAT, &mut encode));
        assert_eq!(bytes, Some(&b"bytes"[..]));
        let other = EncodingFormat::new("another format");
        let bytes = cache.and_then(|cache| cache.encoding(other, &mut encode));
        assert_eq!(bytes, None, "the cache has room for one format");
    }
    assert_eq!(encoded.get(), 1);
}

#[test]
fn threads_that_encode_concurrently_see_the_same_bytes() {
    let shared = SharedAttributes::new([pair("key", "value")]);
    let encode = |set: &SharedAttributes| {
        let bytes = set
            .encoding_cache()
            .and_then(|cache| cache.encoding(FORMAT, &mut |out| out.push(1)));
        bytes.map_or(0, |bytes| bytes.as_ptr() as usize)
    };
    let places: Vec<usize> = thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| encode(&shared.clone())))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_default())
            .collect()
    });
    assert!(
        places
            .iter()
            .all(|place| *place == places[0] && *place != 0)
    );
}

#[test]
fn an_encoder_may_panic_or_read_its_own_set() {
    let shared = SharedAttributes::new([pair("key", "value")]);
    let Some(cache) = shared.encoding_cache() else {
        panic!("a shared set has a cache");
    };
    let panics = catch_unwind(AssertUnwindSafe(|| {
        cache.encoding(FORMAT, &mut |out| {
            out.push(0);
            panic!("an encoder that panics");
        });
    }));
    assert!(panics.is_err());
    let bytes = cache.encoding(FORMAT, &mut |out| {
        cache.encoding(FORMAT, &mut |inner| inner.push(1));
        out.push(2);
    });
    assert_eq!(bytes, Some(&[1][..]), "the bytes that were stored first");
}

#[test]
fn sets_are_send_and_sync() {
    fn crosses<T: Send + Sync>() {}
    crosses::<SharedAttributes>();
    crosses::<StaticAttributes>();
    crosses::<ZeroCopyAttributeBuilder>();
}

#[test]
fn a_static_set_with_a_duplicate_key_panics() {
    let twice = catch_unwind(|| StaticAttributes::new(&[("a", "1"), ("ab", "2"), ("a", "3")]));
    assert!(twice.is_err());
}

#[test]
fn any_length_of_text_and_a_wrong_size_hint_are_accepted() {
    struct Lying(u8);
    impl Iterator for Lying {
        type Item = KeyValue;
        fn next(&mut self) -> Option<KeyValue> {
            self.0 = self.0.checked_sub(1)?;
            Some(KeyValue::new(format!("key{}", self.0), "ü".repeat(1 << 19)))
        }
        fn size_hint(&self) -> (usize, Option<usize>) {
            (usize::MAX, None)
        }
    }
    let shared: SharedAttributes = Lying(3).collect();
    assert_eq!(shared.len(), 3);
    assert_eq!(shared[2].value.as_str().len(), 1 << 20);
    let key: Arc<str> = "🦀".repeat(1 << 18).into();
    let shared = SharedAttributes::new([
        KeyValue::new(Key::from(Arc::clone(&key)), ""),
        KeyValue::new(Key::from(key), "second"),
        pair("", ""),
    ]);
    assert_eq!(shared.len(), 2);
    assert_eq!(shared[0].value, "second".into());
}

proptest! {
    #[test]
    fn a_shared_set_keeps_the_last_value_at_the_first_position(
        pairs in prop::collection::vec(("[a-d]{0,1}", any::<i64>()), 0..12)
    ) {
        let mut model: Vec<(String, i64)> = Vec::new();
        for (key, value) in &pairs {
            match model.iter_mut().find(|(known, _)| known == key) {
                Some(place) => place.1 = *value,
                None => model.push((key.clone(), *value)),
            }
        }
        let shared: SharedAttributes =
            pairs.into_iter().map(|(key, value)| KeyValue::new(key, value)).collect();
        let mut listed = Vec::new();
        shared.for_each(|attribute| listed.push((attribute.key.to_owned(), attribute.value)));
        prop_assert_eq!(listed.len(), AttributeSource::len(&shared));
        let model: Vec<_> = model
            .into_iter()
            .map(|(key, value)| (key, AttributeValue::I64(value)))
            .collect();
        prop_assert_eq!(listed, model);
    }
}
