//! Values as the official messages have them.

use crate::spans;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, KeyValue, KeyValueList, any_value::Value,
};
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
