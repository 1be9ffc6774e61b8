use opentelemetry::{Array, KeyValue, StringValue, Value};
use proptest::prelude::{Strategy, any, prop, prop_assert, prop_assert_eq, prop_oneof, proptest};
use zerospan_core::{Attribute, AttributeSink, AttributeSource, Reset, SinkError};
use zerospan_stack::{FixedAttributes, InlineAttributes, InlineStr, StackAttributes};

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::I64),
        // A NaN is not equal to itself.
        prop::num::f64::NORMAL.prop_map(Value::F64),
        any::<String>().prop_map(Value::from),
        prop::collection::vec(any::<i64>(), 0..3).prop_map(|v| Value::Array(Array::I64(v))),
        prop::collection::vec(any::<String>(), 0..3).prop_map(|v| Value::Array(
            v.into_iter()
                .map(StringValue::from)
                .collect::<Vec<_>>()
                .into()
        )),
    ]
}

fn attribute() -> impl Strategy<Value = KeyValue> {
    (any::<String>(), value()).prop_map(|(key, value)| KeyValue::new(key, value))
}

#[derive(Clone, Debug)]
enum Step {
    Push(KeyValue),
    /// Pushes as a sink.
    Copy(KeyValue),
    Pop,
    Reset,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => attribute().prop_map(Step::Push),
        8 => attribute().prop_map(Step::Copy),
        2 => prop::strategy::Just(Step::Pop),
        1 => prop::strategy::Just(Step::Reset),
    ];
    prop::collection::vec(step, 0..40)
}

/// Returns owned copies of the listed attributes.
fn listed(set: &impl AttributeSource) -> Vec<KeyValue> {
    let mut vector: Vec<KeyValue> = Vec::new();
    assert_eq!(vector.push_all(set), Ok(()));
    assert_eq!(vector.len(), set.len());
    vector
}

/// Returns the bytes of text that an inline set needs for an attribute.
fn text(attribute: &KeyValue) -> usize {
    let value = match &attribute.value {
        Value::String(text) => text.as_str().len(),
        _ => 0,
    };
    attribute.key.as_str().len() + value
}

proptest! {
    #[test]
    fn stack_attributes_behave_like_a_vector(steps in steps()) {
        let mut set = StackAttributes::<3>::new();
        let mut model: Vec<KeyValue> = Vec::new();
        for step in steps {
            match step {
                Step::Push(attribute) => {
                    set.push(attribute.clone());
                    model.push(attribute);
                }
                Step::Copy(attribute) => {
                    prop_assert_eq!(set.push_attribute((&attribute).into()), Ok(()));
                    model.push(attribute);
                }
                Step::Pop => prop_assert_eq!(set.pop(), model.pop()),
                Step::Reset => {
                    set.reset();
                    model.clear();
                }
            }
            prop_assert_eq!(set.as_slice(), model.as_slice());
            prop_assert_eq!(listed(&set), model.clone());
            prop_assert!(set.spilled() || model.len() <= 3);
            prop_assert!(set.capacity() >= model.len());
        }
        prop_assert_eq!(set.clone().into_iter().collect::<Vec<_>>(), model.clone());
        prop_assert_eq!(set.into_vec(), model);
    }

    #[test]
    fn fixed_attributes_behave_like_a_bounded_vector(steps in steps()) {
        let mut set = FixedAttributes::<3>::new();
        let mut model: Vec<KeyValue> = Vec::new();
        for step in steps {
            let room = model.len() < 3;
            prop_assert_eq!(set.is_full(), !room);
            match step {
                Step::Push(attribute) => match set.try_push(attribute.clone()) {
                    Ok(()) => {
                        prop_assert!(room);
                        model.push(attribute);
                    }
                    Err(error) => {
                        prop_assert!(!room);
                        prop_assert_eq!(error.capacity, 3);
                        prop_assert_eq!(error.into_value(), attribute);
                    }
                },
                Step::Copy(attribute) => {
                    let taken = set.push_attribute((&attribute).into());
                    if room {
                        prop_assert_eq!(taken, Ok(()));
                        model.push(attribute);
                    } else {
                        prop_assert_eq!(taken, Err(SinkError::Full { capacity: 3 }));
                    }
                }
                Step::Pop => prop_assert_eq!(set.pop(), model.pop()),
                Step::Reset => {
                    set.reset();
                    model.clear();
                }
            }
            prop_assert_eq!(set.as_slice(), model.as_slice());
            prop_assert_eq!(listed(&set), model.clone());
        }
        prop_assert_eq!(set.into_iter().collect::<Vec<_>>(), model);
    }

    #[test]
    fn inline_attributes_behave_like_a_vector_with_bounded_text(steps in steps()) {
        let mut set = InlineAttributes::<6, 160>::new();
        let mut model: Vec<KeyValue> = Vec::new();
        for step in steps {
            match step {
                Step::Push(attribute) | Step::Copy(attribute) => {
                    let used: usize = model.iter().map(text).sum();
                    let fits = model.len() < 6 && used + text(&attribute) <= 160;
                    let taken = set.push_attribute((&attribute).into());
                    prop_assert_eq!(taken.is_ok(), fits, "{:?}", taken);
                    if fits {
                        model.push(attribute);
                    }
                }
                Step::Pop => {}
                Step::Reset => {
                    set.reset();
                    model.clear();
                }
            }
            prop_assert_eq!(listed(&set), model.clone());
            prop_assert_eq!(set.text_len(), model.iter().map(text).sum::<usize>());
            for (index, attribute) in model.iter().enumerate() {
                prop_assert_eq!(set.at(index), Some(Attribute::from(attribute)));
                let last = model.iter().rev().find(|other| other.key == attribute.key);
                prop_assert_eq!(
                    set.get(attribute.key.as_str()),
                    last.map(|last| Attribute::from(last).value)
                );
            }
            prop_assert_eq!(set.at(model.len()), None);
        }
    }

    #[test]
    fn an_inline_string_behaves_like_a_bounded_string(texts in prop::collection::vec(any::<String>(), 0..6)) {
        let (mut whole, mut truncated) = (InlineStr::<48>::new(), InlineStr::<48>::new());
        let (mut model, mut all) = (String::new(), String::new());
        for text in &texts {
            let fits = model.len() + text.len() <= 48;
            prop_assert_eq!(whole.try_push(text).is_ok(), fits);
            if fits {
                model.push_str(text);
            }
            prop_assert_eq!(whole.as_str(), &model);

            let before = truncated.len();
            let omitted = truncated.push_truncated(text);
            prop_assert_eq!(
                omitted.map(|omitted| truncated.len() + omitted),
                Ok(before + text.len())
            );
            all.truncate(before);
            all.push_str(text);
            prop_assert!(all.starts_with(truncated.as_str()));
            // No further whole character fits.
            let next = all[truncated.len()..].chars().next();
            prop_assert!(next.is_none_or(|next| truncated.len() + next.len_utf8() > 48));
        }
    }

    #[test]
    fn numbers_in_an_inline_string_read_as_display_formats_them(
        number in any::<i64>(), large in any::<u128>(), float in any::<f64>()
    ) {
        let text = InlineStr::<128>::try_from_text((number, ' ', large))
            .unwrap_or_default();
        prop_assert_eq!(text.as_str(), format!("{number} {large}"));
        let text = InlineStr::<32>::try_from_text(float).unwrap_or_default();
        let back: f64 = text.parse().unwrap_or(0.0);
        prop_assert!(back == float || float.is_nan() && back.is_nan(), "{}", text);
    }
}

#[test]
fn each_collection_tells_its_capacity() {
    assert_eq!(FixedAttributes::<3>::new().capacity(), 3);
    assert_eq!(InlineStr::<5>::new().capacity(), 5);
    let inline = InlineAttributes::<2, 7>::new();
    assert_eq!((inline.capacity(), inline.text_capacity()), (2, 7));
    assert_eq!(StackAttributes::<4>::new().capacity(), 4);
}

#[test]
fn an_inline_text_is_found_in_a_map_by_its_content() {
    let map = std::collections::HashMap::from([(
        InlineStr::<8>::try_from_text("key").unwrap_or_default(),
        1,
    )]);
    assert_eq!(map.get("key"), Some(&1));
    assert_eq!(map.get(""), None);
}
