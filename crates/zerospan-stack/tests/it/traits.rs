//! The traits of the standard library and of the family: each reads, changes or counts the same content as the methods.

use opentelemetry::KeyValue;
use std::fmt::Write as _;
use zerospan_core::{
    Attribute, AttributeSink, AttributeSource, AttributeValue, Footprint, SinkError,
};
use zerospan_stack::{
    FixedAttributes, InlineAttributes, InlineStr, StackAttributes, Text, TextError,
};

#[test]
fn a_set_is_a_slice_that_can_be_read_changed_and_iterated() {
    let mut fixed: FixedAttributes<3> = FixedAttributes::new();
    let mut stack: StackAttributes<3> = StackAttributes::new();
    for attribute in [KeyValue::new("a", 1), KeyValue::new("b", 2)] {
        fixed.try_push(attribute.clone()).expect("there is room");
        stack.push(attribute);
    }
    fixed[1].value = 3.into();
    stack[1].value = 3.into();
    let expected = [KeyValue::new("a", 1), KeyValue::new("b", 3)];
    assert_eq!(fixed[..], expected);
    assert_eq!(stack[..], expected);
    assert!((&fixed).into_iter().eq(&expected));
    assert!((&stack).into_iter().eq(&expected));
}

#[test]
fn a_set_counts_its_memory_on_the_heap_once_it_spills() {
    let fixed: FixedAttributes<2> = FixedAttributes::new();
    assert_eq!(fixed.heap_bytes(), 0);
    assert_eq!(InlineStr::<8>::new().heap_bytes(), 0);
    let mut set: StackAttributes<1> = StackAttributes::new();
    set.push(KeyValue::new("inline", 1));
    assert_eq!(set.heap_bytes(), 0);
    set.push(KeyValue::new("on the heap", 2));
    assert_eq!(set.heap_bytes(), set.capacity() * size_of::<KeyValue>());
}

#[test]
fn a_source_that_tells_its_length_has_room_reserved_for_it() {
    let mut set: StackAttributes<2> = StackAttributes::new();
    set.reserve_attributes(40);
    assert!(set.capacity() >= 40, "{}", set.capacity());
    assert_eq!(AttributeSource::len(&set), 0);
}

#[test]
fn each_reason_not_to_take_an_attribute_is_told_to_the_writer() {
    let mut set = InlineAttributes::<1, 8>::new();
    let unknown = Attribute::new("key", AttributeValue::Unsupported);
    assert_eq!(set.push_attribute(unknown), Err(SinkError::Unsupported));
    let long = Attribute::new("key", "too long");
    assert_eq!(
        set.push_attribute(long),
        Err(SinkError::OutOfSpace { capacity: 8 })
    );
    assert_eq!(set.push_attribute(Attribute::new("key", 1)), Ok(()));
    let second = Attribute::new("b", 2);
    assert_eq!(
        set.push_attribute(second),
        Err(SinkError::Full { capacity: 1 })
    );
}

#[test]
fn an_inline_text_reads_as_a_str_and_is_a_piece_of_another_text() {
    let mut text = InlineStr::<8>::new();
    write!(text, "{}-{}", 1, 2).expect("there is room");
    assert_eq!(text.as_ref() as &str, "1-2");
    assert_eq!(text.to_string(), "1-2");
    assert!(text == *"1-2" && text != *"1-3");
    let mut whole = InlineStr::<8>::new();
    assert_eq!(text.write_to(&mut whole), Ok(()));
    assert_eq!(whole.as_str(), "1-2");
    assert!(text.write_str("too long").is_err());
    assert_eq!(text.as_str(), "1-2");
}

#[test]
fn each_error_of_a_text_names_its_remedy() {
    for (error, remedy) in [
        (TextError::Output, "write to a larger one"),
        (TextError::Display, "only errors of its formatter"),
    ] {
        assert!(error.to_string().contains(remedy), "{error}");
    }
}
