use opentelemetry::KeyValue;
use zerospan_core::dev::{Canary, conformance};
use zerospan_core::{Attribute, AttributeSink, AttributeSource, AttributeValue, Reset};
use zerospan_stack::{FixedAttributes, InlineAttributes, InlineStr, StackAttributes};

type Inline = InlineAttributes<16, 1024>;

fn list<S: AttributeSource>(set: &S, each: &mut dyn FnMut(Attribute<'_>)) {
    set.for_each(each);
}

fn read<S: AttributeSource>(set: &S, out: &mut Vec<u8>) {
    set.for_each(|attribute| out.extend_from_slice(format!("{attribute:?}").as_bytes()));
}

fn fill<S: AttributeSink>(set: &mut S, canary: &mut Canary) {
    for attribute in canary.attributes(7) {
        assert_eq!(set.push_attribute((&attribute).into()), Ok(()));
    }
}

#[test]
fn every_set_is_a_source() {
    let attributes = [
        KeyValue::new("text", "välue"),
        KeyValue::new("number", 7),
        KeyValue::new("text", "again"),
    ];
    let expected = [
        ("text", AttributeValue::Str("välue")),
        ("number", AttributeValue::I64(7)),
        ("text", AttributeValue::Str("again")),
    ];
    conformance::check_source(&StackAttributes::<16>::from(attributes.clone()), &expected);
    conformance::check_source(&StackAttributes::<1>::from(attributes.clone()), &expected);
    let fixed: FixedAttributes<3> = zerospan_stack::create_fixed_attributes(attributes.clone());
    conformance::check_source(&fixed, &expected);
    let mut inline = Inline::new();
    assert_eq!(inline.push_all(&attributes), Ok(()));
    conformance::check_source(&inline, &expected);

    let none: [(&str, AttributeValue<'_>); 0] = [];
    conformance::check_source(&StackAttributes::<16>::new(), &none);
    conformance::check_source(&FixedAttributes::<8>::new(), &none);
    conformance::check_source(&Inline::new(), &none);
    conformance::check_source(
        &[(
            "key",
            InlineStr::<5>::try_from_text("value").unwrap_or_default(),
        )],
        &[("key", AttributeValue::Str("value"))],
    );
}

#[test]
fn every_set_is_a_sink() {
    conformance::check_sink(StackAttributes::<16>::new, list);
    conformance::check_sink(StackAttributes::<2>::new, list);
    conformance::check_sink(FixedAttributes::<16>::new, list);
    conformance::check_sink(Inline::new, list);
}

#[test]
fn reset_leaves_no_trace_of_the_last_use() {
    conformance::ResetCheck::new(fill::<StackAttributes>, read).check::<StackAttributes>();
    conformance::ResetCheck::new(fill::<StackAttributes<2>>, read).check::<StackAttributes<2>>();
    conformance::ResetCheck::new(fill::<FixedAttributes>, read).check::<FixedAttributes>();
    conformance::ResetCheck::new(fill::<Inline>, read).check::<Inline>();
    conformance::ResetCheck::new(
        |string: &mut InlineStr<64>, canary: &mut Canary| {
            assert_eq!(string.try_push(canary.text(40)), Ok(()));
        },
        |string: &InlineStr<64>, out: &mut Vec<u8>| out.extend_from_slice(string.as_bytes()),
    )
    .check::<InlineStr<64>>();
}

#[test]
fn a_rejected_text_is_not_readable_in_the_next_attribute() {
    let mut canary = Canary::new(3);
    let mut set = InlineAttributes::<4, 64>::new();
    assert!(set.try_push(canary.text(48), canary.text(48)).is_err());
    assert_eq!(set.try_push("key", "value"), Ok(()));
    let mut out = Vec::new();
    read(&set, &mut out);
    assert!(!canary.is_in(&out));
    set.reset();
    assert_eq!(set.text_len(), 0);
}
