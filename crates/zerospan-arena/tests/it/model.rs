//! The arena against a naive model: owned strings and owned attributes.

use opentelemetry::{Array, KeyValue, Value};
use proptest::prelude::{Strategy, any, prop, prop_assert, prop_assert_eq, prop_oneof, proptest};
use zerospan_arena::{AttributeSet, SpanAttributeArena};
use zerospan_core::AttributeSource;

/// One operation of a request on its arena.
#[derive(Clone, Debug)]
enum Step {
    Text(String),
    Concat(String, i64),
    Format(String, usize),
    Set(Vec<(String, Value)>),
    Pairs(Vec<(String, String)>),
}

fn value() -> impl Strategy<Value = Value> {
    let text = "[a-zü😀]{0,40}";
    prop_oneof![
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::I64),
        prop::num::f64::NORMAL.prop_map(Value::F64),
        text.prop_map(Value::from),
        prop::collection::vec(any::<i64>(), 0..9).prop_map(|v| Value::Array(Array::I64(v))),
        prop::collection::vec(any::<bool>(), 0..9).prop_map(|v| Value::Array(Array::Bool(v))),
        prop::collection::vec(prop::num::f64::NORMAL, 0..9)
            .prop_map(|v| Value::Array(Array::F64(v))),
        prop::collection::vec(text, 0..5)
            .prop_map(|v| Value::Array(Array::String(v.into_iter().map(Into::into).collect()))),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let text = "[a-zü😀]{0,200}";
    prop_oneof![
        text.prop_map(Step::Text),
        (text, any::<i64>()).prop_map(|(text, number)| Step::Concat(text, number)),
        (text, 0..300_usize).prop_map(|(text, width)| Step::Format(text, width)),
        prop::collection::vec((text, value()), 0..12).prop_map(Step::Set),
        prop::collection::vec((text, text), 0..12).prop_map(Step::Pairs),
    ]
}

/// An allocation, and its value in the model.
enum Handed<'a> {
    Text(&'a str, String),
    Set(AttributeSet<'a>, Vec<KeyValue>),
}

fn take<'a>(arena: &'a SpanAttributeArena, step: &Step) -> Handed<'a> {
    match step {
        Step::Text(text) => Handed::Text(arena.alloc_str(text), text.clone()),
        Step::Concat(text, number) => Handed::Text(
            arena.concat((text, '/', *number)),
            format!("{text}/{number}"),
        ),
        Step::Format(text, width) => Handed::Text(
            arena.format(format_args!("{text:width$}|{text:?}")),
            format!("{text:width$}|{text:?}"),
        ),
        Step::Set(attributes) => {
            let owned: Vec<KeyValue> = attributes
                .iter()
                .map(|(key, value)| KeyValue::new(key.clone(), value.clone()))
                .collect();
            let mut set = arena.attributes(attributes.len() / 2);
            for attribute in &owned {
                set.push(attribute.key.as_str(), &attribute.value);
            }
            Handed::Set(set.finish(), owned)
        }
        Step::Pairs(pairs) => {
            let borrowed: Vec<(&str, &str)> = pairs
                .iter()
                .map(|(key, value)| (key.as_str(), value.as_str()))
                .collect();
            let owned = pairs
                .iter()
                .map(|(key, value)| KeyValue::new(key.clone(), value.clone()))
                .collect();
            Handed::Set(arena.create_attributes(&borrowed), owned)
        }
    }
}

proptest! {
    #[test]
    fn an_arena_reads_like_owned_values_over_many_uses(
        uses in prop::collection::vec(prop::collection::vec(step(), 0..12), 1..5),
        retention in prop_oneof![0..10_000_usize, prop::strategy::Just(1 << 20)],
    ) {
        let mut arena = SpanAttributeArena::new().with_retention_limit(retention);
        for steps in &uses {
            let handed: Vec<Handed<'_>> = steps.iter().map(|step| take(&arena, step)).collect();
            // Compared after all allocations: none may overwrite an earlier one.
            for handed in &handed {
                match handed {
                    Handed::Text(text, expected) => prop_assert_eq!(text, expected),
                    Handed::Set(set, expected) => {
                        prop_assert_eq!(AttributeSource::len(set), expected.len());
                        prop_assert_eq!(&set.to_key_values(), &Ok(expected.clone()));
                    }
                }
            }
            arena.reset();
            prop_assert_eq!(arena.allocated_bytes(), 0);
            prop_assert!(arena.capacity() <= retention);
        }
    }
}
