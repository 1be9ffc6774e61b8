use opentelemetry::KeyValue;
use zerospan_arena::{AttributeSet, PushError, SpanAttributeArena};
use zerospan_core::dev::conformance;
use zerospan_core::{Attribute, AttributeSink, AttributeSource, AttributeValue};

#[test]
fn created_attributes_are_a_source() {
    let arena = SpanAttributeArena::new();
    let pairs = [("a", "1"), ("ü", "ß"), ("", "")];
    let expected = pairs.map(|(key, value)| (key, AttributeValue::Str(value)));
    conformance::check_source(&arena.create_attributes(&pairs), &expected);
    conformance::check_source::<_, &str>(&arena.create_attributes(&[]), &[]);
    conformance::check_source::<_, &str>(&AttributeSet::default(), &[]);

    let mut set = arena.attributes(0);
    for (key, value) in pairs {
        set.push_borrowed(key, value);
    }
    conformance::check_source(&set, &expected);
    let copied = set.finish();
    conformance::check_source(&copied, &expected);
    assert_eq!(copied.as_slice().len(), 3);
}

#[test]
fn a_set_being_filled_is_a_sink() {
    let arena = SpanAttributeArena::new();
    conformance::check_sink(|| arena.attributes(2), |sink, each| sink.for_each(each));
}

#[test]
fn any_source_can_be_copied_into_an_arena_and_out_again() {
    let attributes = zerospan_core::dev::Canary::new(3).attributes(12);
    let arena = SpanAttributeArena::new();
    let copied = arena
        .try_copy_attributes(&attributes)
        .map(|set| set.to_key_values());
    assert_eq!(copied, Ok(Ok(attributes.clone())));

    let mut set = arena.attributes(12);
    assert_eq!(set.push_all(&attributes), Ok(()));
    assert_eq!(set.finish().to_key_values(), Ok(attributes));
}

#[test]
fn a_value_of_an_unknown_kind_is_rejected() {
    let arena = SpanAttributeArena::new();
    let mut set = arena.attributes(1);
    let unknown = AttributeValue::Unsupported;
    assert_eq!(set.try_push("key", unknown), Err(PushError::Unsupported));
    assert_eq!(
        set.try_push_borrowed("key", unknown),
        Err(PushError::Unsupported)
    );
    assert!(set.is_empty());
    // Only the reserved room for one attribute.
    assert_eq!(arena.allocated_bytes(), size_of::<Attribute<'_>>());
}

#[test]
fn an_iterator_extends_a_set() {
    let arena = SpanAttributeArena::new();
    let mut set = arena.attributes(0);
    let owned: Vec<KeyValue> = (0..300)
        .map(|i| KeyValue::new(format!("k{i}"), i))
        .collect();
    assert_eq!(set.try_extend(owned.iter()), Ok(()));
    assert_eq!(set.finish().to_key_values(), Ok(owned));
}

#[test]
fn keys_and_values_are_concatenated_from_pieces() {
    let arena = SpanAttributeArena::new();
    let mut set = arena.attributes(0);
    for index in 0..200 {
        set.push_concat(("ß", index), (index, 'ß', 0.5));
    }
    set.push_concat(("",), ("", ""));
    let set = set.finish();
    for (index, attribute) in set.iter().take(200).enumerate() {
        let (key, value) = (format!("ß{index}"), format!("{index}ß0.5"));
        assert_eq!(*attribute, Attribute::new(&key, &value));
    }
    assert_eq!(set[200], Attribute::new("", ""));

    let limited = SpanAttributeArena::with_limit(1000);
    let mut set = limited.attributes(1);
    let long = "x".repeat(600);
    let refused = set.try_push_concat((&long,), (&long,));
    assert!(matches!(refused, Err(PushError::Limit(error)) if error.requested == 1200));
    assert!(set.is_empty());
}

#[test]
fn many_small_sources_seldom_move_the_list() {
    let arena = SpanAttributeArena::new();
    let mut set = arena.attributes(0);
    for _ in 0..1000 {
        assert_eq!(set.push_all(&[("key", "value")]), Ok(()));
    }
    let needed = 1000 * (size_of::<Attribute<'_>>() + "keyvalue".len());
    assert!(arena.allocated_bytes() < 4 * needed);
    assert_eq!(set.len(), 1000);
}

#[test]
fn many_strings_are_copied_with_their_list() {
    let arena = SpanAttributeArena::new();
    let strings: Vec<String> = (0..100).map(|index| "ü".repeat(index)).collect();
    assert_eq!(
        arena.try_alloc_strs(&strings).map(<[&str]>::to_vec),
        Ok(strings.iter().map(String::as_str).collect())
    );
    assert_eq!(arena.try_alloc_strs::<&str>(&[]), Ok(&[][..]));
    let limited = SpanAttributeArena::with_limit(1000);
    assert!(limited.try_alloc_strs(&strings).is_err());
    assert_eq!(limited.alloc_str("usable"), "usable");
}

#[test]
fn a_source_of_known_length_takes_one_list_of_that_length() {
    let arena = SpanAttributeArena::new();
    let mut set = arena.attributes(0);
    let attributes = [("", true); 9].map(|(key, value)| Attribute::new(key, value));
    assert_eq!(set.try_extend(attributes), Ok(()));
    assert_eq!(arena.allocated_bytes(), 9 * size_of::<Attribute<'_>>());
}
