//! Values as the official messages have them.

use crate::spans;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, EntityRef, InstrumentationScope, KeyValue, KeyValueList, any_value::Value,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use proptest::collection::vec;
use proptest::prelude::*;

/// Values of every kind in the protocol, nested.
pub(crate) fn any_value() -> impl Strategy<Value = AnyValue> {
    let leaf = prop_oneof![
        Just(None),
        spans::text().prop_map(|text| Some(Value::StringValue(text))),
        any::<bool>().prop_map(|flag| Some(Value::BoolValue(flag))),
        any::<i64>().prop_map(|number| Some(Value::IntValue(number))),
        any::<f64>().prop_map(|number| Some(Value::DoubleValue(number))),
        vec(any::<u8>(), 0..40).prop_map(|bytes| Some(Value::BytesValue(bytes))),
        any::<i32>().prop_map(|index| Some(Value::StringValueStrindex(index))),
    ]
    .prop_map(|value| AnyValue { value });
    leaf.prop_recursive(4, 20, 4, |value| {
        let array = vec(value.clone(), 0..4)
            .prop_map(|values| Some(Value::ArrayValue(ArrayValue { values })));
        let pair = (spans::text(), prop::option::of(value)).prop_map(|(key, value)| KeyValue {
            key,
            value,
            key_strindex: 0,
        });
        let list =
            vec(pair, 0..4).prop_map(|values| Some(Value::KvlistValue(KeyValueList { values })));
        prop_oneof![array, list].prop_map(|value| AnyValue { value })
    })
}

/// Attributes of every kind in the protocol.
pub(crate) fn attributes() -> impl Strategy<Value = Vec<KeyValue>> {
    let attribute = (spans::text(), any_value(), any::<i32>());
    let attribute = attribute.prop_map(|(key, value, key_strindex)| KeyValue {
        key,
        value: Some(value),
        key_strindex,
    });
    vec(attribute, 0..4)
}

/// A resource with all that the protocol has.
pub(crate) fn resource() -> impl Strategy<Value = Resource> {
    let keys = || vec(spans::text(), 0..3);
    let entity_ref = (spans::text(), spans::text(), keys(), keys());
    let entity_ref =
        entity_ref.prop_map(
            |(schema_url, r#type, id_keys, description_keys)| EntityRef {
                schema_url,
                r#type,
                id_keys,
                description_keys,
            },
        );
    (attributes(), any::<u32>(), vec(entity_ref, 0..3)).prop_map(
        |(attributes, dropped_attributes_count, entity_refs)| Resource {
            attributes,
            dropped_attributes_count,
            entity_refs,
        },
    )
}

/// A scope with all that the protocol has.
pub(crate) fn scope() -> impl Strategy<Value = InstrumentationScope> {
    (spans::text(), spans::text(), attributes(), any::<u32>()).prop_map(
        |(name, version, attributes, dropped_attributes_count)| InstrumentationScope {
            name,
            version,
            attributes,
            dropped_attributes_count,
        },
    )
}
