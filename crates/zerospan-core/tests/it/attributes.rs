use opentelemetry::trace::SpanBuilder;
use opentelemetry::{Array, KeyValue, StringValue, Value};
use proptest::prelude::{Strategy, any, prop, prop_oneof, proptest};
use std::borrow::Cow;
use std::sync::Arc;
use zerospan_core::dev::conformance;
use zerospan_core::{
    AsAttributeValue, Attribute, AttributeSink, AttributeSource, AttributeValue, CapacityError,
    ExtendError, SinkError, StrArray, UnsupportedValue,
};

#[test]
fn every_value_kind_is_viewed_as_its_own_variant() {
    let strings = vec![StringValue::from("a"), StringValue::from(String::new())];
    let expected = ["a", ""];
    let cases = [
        (Value::Bool(true), AttributeValue::Bool(true)),
        (Value::I64(i64::MIN), AttributeValue::I64(i64::MIN)),
        (Value::F64(0.1), AttributeValue::F64(0.1)),
        (Value::from("text"), AttributeValue::Str("text")),
        (
            Value::Array(Array::Bool(vec![true])),
            AttributeValue::BoolArray(&[true]),
        ),
        (
            Value::Array(Array::I64(vec![])),
            AttributeValue::I64Array(&[]),
        ),
        (
            Value::Array(Array::F64(vec![1.5])),
            AttributeValue::F64Array(&[1.5]),
        ),
        (
            Value::Array(Array::String(strings)),
            AttributeValue::StrArray(StrArray::from(&expected[..])),
        ),
    ];
    for (value, view) in &cases {
        assert_eq!(AttributeValue::from(value), *view);
        assert_eq!(view.to_value().as_ref(), Ok(value));
    }
}

#[test]
fn every_owner_of_a_value_can_be_viewed() {
    let owner = String::from("text");
    let text = AttributeValue::Str("text");
    assert_eq!(owner.as_attribute_value(), text);
    assert_eq!(Arc::<str>::from("text").as_attribute_value(), text);
    assert_eq!(Cow::Borrowed("text").as_attribute_value(), text);
    assert_eq!(AttributeValue::from(&owner), text);
    assert_eq!(AttributeValue::from(7_u32), AttributeValue::I64(7));
    assert_eq!(AttributeValue::from(0.5_f32), AttributeValue::F64(0.5));
    assert_eq!(
        vec![1_i64, 2].as_attribute_value(),
        AttributeValue::I64Array(&[1, 2])
    );
    assert_eq!(
        vec![owner.clone(), owner].as_attribute_value(),
        ["text", "text"].as_attribute_value(),
        "string arrays of different types are equal if their strings are"
    );
}

#[test]
fn an_unknown_kind_is_rejected_and_the_rest_is_taken() {
    let later = Attribute {
        key: "later",
        value: AttributeValue::Unsupported,
    };
    assert_eq!(later.to_key_value(), Err(UnsupportedValue));

    let mut vector: Vec<KeyValue> = Vec::new();
    let source = [
        Attribute::new("kept", 1),
        later,
        later,
        Attribute::new("too", 2),
    ];
    assert_eq!(
        vector.push_all(&source),
        Err(ExtendError::new(2, SinkError::Unsupported))
    );
    assert_eq!(
        vector,
        [KeyValue::new("kept", 1), KeyValue::new("too", 2)],
        "the supported attributes are taken"
    );
}

#[test]
fn slices_arrays_and_vectors_are_sources() {
    let pairs = [("a", 1_i64), ("b", 2)];
    let expected = [("a", AttributeValue::I64(1)), ("b", AttributeValue::I64(2))];
    conformance::check_source(&pairs[..], &expected);
    conformance::check_source(&pairs, &expected);
    conformance::check_source(&pairs.to_vec(), &expected);
    conformance::check_source(&&pairs, &expected);
    conformance::check_source(&[KeyValue::new("a", 1), KeyValue::new("b", 2)], &expected);
    conformance::check_source(&[Attribute::new("a", 1), Attribute::new("b", 2)], &expected);
    conformance::check_source(
        &[(String::from("a"), "x"); 1],
        &[("a", AttributeValue::Str("x"))],
    );
    conformance::check_source::<[KeyValue], &str>(&[], &[]);
}

#[test]
fn vectors_and_span_builders_are_sinks() {
    conformance::check_sink(Vec::<KeyValue>::new, |sink, each| {
        sink.for_each(each);
    });
    conformance::check_sink(
        || SpanBuilder::from_name("span"),
        |sink, each| {
            if let Some(attributes) = &sink.attributes {
                attributes.for_each(each);
            }
        },
    );
}

#[test]
fn errors_name_the_value_and_the_remedy() {
    let error = SinkError::Full { capacity: 8 };
    assert_eq!(
        error.to_string(),
        "the collection is full at its fixed capacity of 8: choose a larger one, or one that spills to the heap"
    );
    assert!(UnsupportedValue.to_string().contains("use a boolean"));
}

#[test]
fn errors_of_sinks_name_the_room_and_the_first_cause() {
    let error = SinkError::OutOfSpace { capacity: 100 };
    assert!(error.to_string().contains("the rest of the 100 bytes"));
    assert_eq!(
        SinkError::from(UnsupportedValue).to_string(),
        UnsupportedValue.to_string()
    );
    let error = ExtendError::new(3, error);
    assert_eq!(error.to_string(), "the sink rejected 3 attributes");
    let source = std::error::Error::source(&error).map(ToString::to_string);
    assert_eq!(source, Some(error.cause.to_string()));
    let full = CapacityError::new("value", 7);
    assert_eq!(format!("{full:?}"), "CapacityError { capacity: 7, .. }");
    assert_eq!(full.into_value(), "value");
}

#[test]
fn a_list_of_strings_is_read_alike_whoever_owns_it() {
    let borrowed = ["a", "b"];
    let owned = borrowed.map(String::from);
    let api = borrowed.map(StringValue::from);
    for list in [
        StrArray::from(&borrowed[..]),
        StrArray::from(&owned[..]),
        StrArray::from(&api[..]),
    ] {
        assert_eq!((list.len(), list.is_empty()), (2, false));
        assert_eq!(
            [list.get(0), list.get(1), list.get(2)],
            [Some("a"), Some("b"), None]
        );
        let mut strings = list.into_iter();
        assert_eq!(strings.len(), 2);
        assert_eq!(strings.next(), Some("a"));
        assert_eq!(strings.len(), 1);
        assert_eq!(strings.next(), Some("b"));
        assert_eq!((strings.len(), strings.next()), (0, None));
        assert_eq!(AttributeValue::from(list), borrowed.as_attribute_value());
        assert_ne!(list, StrArray::from(&["a"][..]));
    }
    assert!(StrArray::from(&[] as &[&str]).is_empty());
}

#[test]
fn a_sink_that_reserves_grows_once() {
    let mut vector: Vec<KeyValue> = Vec::new();
    vector.reserve_attributes(100);
    assert!(vector.capacity() >= 100);
    let mut builder = SpanBuilder::from_name("span");
    builder.reserve_attributes(0);
    assert_eq!(builder.attributes, None);
    AttributeSink::reserve_attributes(&mut &mut builder, 100);
    assert!(
        builder
            .attributes
            .is_some_and(|list| list.capacity() >= 100)
    );
}

#[test]
fn a_source_is_empty_if_it_lists_nothing() {
    assert!(AttributeSource::is_empty(&Vec::<KeyValue>::new()));
    assert!(!AttributeSource::is_empty(&vec![("key", 1)]));
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::I64),
        // A NaN is not equal to itself.
        prop::num::f64::NORMAL.prop_map(Value::F64),
        any::<String>().prop_map(Value::from),
        prop::collection::vec(any::<bool>(), 0..5).prop_map(|v| Value::Array(Array::Bool(v))),
        prop::collection::vec(any::<i64>(), 0..5).prop_map(|v| Value::Array(Array::I64(v))),
        prop::collection::vec(prop::num::f64::NORMAL, 0..5)
            .prop_map(|v| Value::Array(Array::F64(v))),
        prop::collection::vec(any::<String>(), 0..5).prop_map(|v| Value::Array(
            v.into_iter()
                .map(StringValue::from)
                .collect::<Vec<_>>()
                .into()
        )),
    ]
}

proptest! {
    #[test]
    fn any_source_read_into_any_sink_is_the_same_list(
        pairs in prop::collection::vec((any::<String>(), value()), 0..20)
    ) {
        let attributes: Vec<KeyValue> = pairs
            .into_iter()
            .map(|(key, value)| KeyValue::new(key, value))
            .collect();
        let mut vector: Vec<KeyValue> = Vec::new();
        assert_eq!(vector.push_all(&attributes), Ok(()));
        assert_eq!(&vector, &attributes);

        let mut builder = SpanBuilder::from_name("span");
        assert_eq!(builder.push_all(attributes.as_slice()), Ok(()));
        assert_eq!(builder.attributes.unwrap_or_default(), attributes);
    }
}
