//! Every value against its safe reference.

use super::append::{SPARE_CAPACITY, append};
use super::bytes::{
    FieldStart, LowBytes, MAX_SHORT_LEN, ShortBytes, TEMPLATE_LEN, Template, Zeros,
};
use super::cursor::Cursor;
use super::encode::Encode;
use super::varint::Varint;
use crate::protobuf::varint_len;
use proptest::prelude::*;

/// Asserts that a value is appended as its safe reference, with and without room in the buffer.
fn agree(value: impl Encode) {
    let mut plain = vec![0xee; 3];
    value.encode_safe(&mut plain);
    for room in [0, 1, 40, 4096] {
        let mut fast = Vec::with_capacity(3 + room);
        fast.extend_from_slice(&[0xee; 3]);
        append(&mut fast, value);
        assert_eq!(fast, plain);
        fast.truncate(3);
        fast.shrink_to(3 + room);
        let mut cursor = Cursor::new(&mut fast);
        cursor.append(value);
        cursor.finish();
        assert_eq!(fast, plain);
    }
    assert!(plain.len() - 3 <= value.max_len());
}

#[test]
fn slices_of_every_length_are_copied() {
    let source: Vec<u8> = (0..=255).cycle().take(1025).collect();
    for length in (0..200).chain([255, 256, 257, 1024, 1025]) {
        agree(&source[..length]);
        agree((&source[..length], [0xff], &source[..length]));
    }
}

#[test]
fn varints_of_every_length_are_shortest() {
    for bits in 0..64 {
        for value in [
            (1_u64 << bits) - 1,
            1 << bits,
            (1 << bits) + 1,
            u64::MAX << bits,
        ] {
            agree(Varint(value));
            let mut plain = Vec::new();
            Varint(value).encode_safe(&mut plain);
            assert_eq!(varint_len(value), plain.len(), "{value:#x}");
        }
    }
    agree(Varint(u64::MAX));
}

#[test]
fn short_bytes_and_zeros_have_their_length() {
    let source: Vec<u8> = (0..MAX_SHORT_LEN as u8).collect();
    for length in 0..=MAX_SHORT_LEN {
        agree((ShortBytes::new(&source[..length]), Zeros(length % 11), [1]));
        let pair = ShortBytes::pair(&source[..length], &source[length..]);
        assert_eq!(pair.is_some(), length > 0);
        if let Some(pair) = pair {
            agree(pair);
        }
    }
    assert!(ShortBytes::new(&[0; MAX_SHORT_LEN + 1]).is_none());
    assert!(ShortBytes::pair(&[0; MAX_SHORT_LEN], &[0]).is_none());
}

#[test]
fn a_template_is_cut_to_its_length() {
    let bytes = std::array::from_fn::<u8, TEMPLATE_LEN, _>(|index| index as u8);
    for length in 2..=TEMPLATE_LEN {
        agree(([1], Template::new(&bytes, length, [8, 9]), [2]));
    }
}

#[test]
fn bytes_stored_beyond_a_value_do_not_count() {
    for is_long in [false, true] {
        agree((FieldStart::new(0x12, is_long), [1]));
    }
    agree((
        LowBytes::<4>(u64::MAX),
        LowBytes::<5>(0x0102_0304_0506_0708),
        LowBytes::<8>(7),
    ));
    for length in 0..=MAX_SHORT_LEN + 1 {
        let text = vec![7; length];
        let short = ShortBytes::non_empty(&text);
        assert_eq!(short.is_some(), (1..=MAX_SHORT_LEN).contains(&length));
        if let Some(short) = short {
            agree(short);
        }
    }
}

/// Encodes an attribute with the content of its value, without unsafe code.
fn attribute(tag: u8, key: &[u8], value: &[u8]) -> Vec<u8> {
    let (mut content, mut all) = (Vec::new(), Vec::new());
    ([0x0a], Varint(key.len() as u64), key).encode_safe(&mut content);
    ([0x12], Varint(value.len() as u64), value).encode_safe(&mut content);
    ([tag], Varint(content.len() as u64), content.as_slice()).encode_safe(&mut all);
    all
}

/// Appends with a cursor after other bytes, with as much room as it needs and with less.
fn by_cursor(write: impl Fn(&mut Cursor<'_>) -> bool) -> Option<Vec<u8>> {
    let mut results = [SPARE_CAPACITY - 1, SPARE_CAPACITY].map(|room| {
        let mut buffer = Vec::with_capacity(3 + room);
        buffer.extend_from_slice(&[0xee; 3]);
        buffer.shrink_to(3 + room);
        let room = buffer.capacity() - 3;
        let mut cursor = Cursor::new(&mut buffer);
        let is_written = write(&mut cursor);
        cursor.finish();
        assert_eq!(buffer[..3], [0xee; 3]);
        assert!(is_written || buffer.len() == 3, "nothing is appended");
        assert!(!is_written || room >= SPARE_CAPACITY, "there is no room");
        is_written.then(|| buffer.split_off(3))
    });
    results[1].take()
}

#[test]
fn a_short_text_attribute_equals_the_safe_reference() {
    let source: Vec<u8> = (1..=255).collect();
    for key in 0..=MAX_SHORT_LEN + 1 {
        for text in 0..=MAX_SHORT_LEN + 1 {
            let (key, text) = (&source[..key], &source[100..100 + text]);
            let fast = by_cursor(|cursor| cursor.append_text_attribute(0x4a, key, text));
            let is_short = !key.is_empty() && key.len() + text.len() <= MAX_SHORT_LEN;
            let plain = is_short.then(|| {
                let mut value = Vec::new();
                ([0x0a], Varint(text.len() as u64), text).encode_safe(&mut value);
                attribute(0x4a, key, &value)
            });
            assert_eq!(fast, plain);
        }
    }
}

#[test]
fn a_short_scalar_attribute_equals_the_safe_reference() {
    let source: Vec<u8> = (1..=255).collect();
    let numbers = (0..64).flat_map(|bits| [(1_u64 << bits) - 1, 1 << bits, u64::MAX << bits]);
    let numbers: Vec<u64> = numbers.collect();
    for length in 0..=MAX_SHORT_LEN + 1 {
        let key = &source[..length];
        let is_short = (1..=112).contains(&length);
        for number in &numbers {
            let fast = by_cursor(|cursor| {
                let attribute = cursor.begin_attribute(0x1a, key);
                attribute
                    .map(|attribute| attribute.finish_int(*number as i64))
                    .is_some()
            });
            let mut value = Vec::new();
            ([0x18], Varint(*number)).encode_safe(&mut value);
            assert_eq!(fast, is_short.then(|| attribute(0x1a, key, &value)));
        }
        let fast = by_cursor(|cursor| {
            let attribute = cursor.begin_attribute(0x1a, key);
            attribute
                .map(|attribute| attribute.finish_double(-1.5))
                .is_some()
        });
        let mut value = vec![0x21];
        value.extend_from_slice(&(-1.5_f64).to_le_bytes());
        assert_eq!(fast, is_short.then(|| attribute(0x1a, key, &value)));
        for flag in [false, true] {
            let fast = by_cursor(|cursor| {
                let attribute = cursor.begin_attribute(0x1a, key);
                attribute
                    .map(|attribute| attribute.finish_bool(flag))
                    .is_some()
            });
            let value = [0x10, u8::from(flag)];
            assert_eq!(fast, is_short.then(|| attribute(0x1a, key, &value)));
        }
    }
}

#[test]
fn a_key_without_a_value_is_not_appended() {
    let mut buffer = Vec::with_capacity(SPARE_CAPACITY + 10);
    let mut cursor = Cursor::new(&mut buffer);
    cursor.append([1]);
    assert!(cursor.begin_attribute(0x4a, b"key").is_some());
    cursor.append([2]);
    cursor.finish();
    assert_eq!(buffer, [1, 2]);
}

#[test]
fn a_field_has_its_length_with_any_guess() {
    for length in [
        0, 1, 125, 126, 127, 128, 129, 16_382, 16_383, 16_384, 20_000,
    ] {
        let content = vec![7; length];
        for (outer, inner) in [(false, false), (false, true), (true, false), (true, true)] {
            for room in [0, 600, 40_000] {
                let mut fast = Vec::with_capacity(room);
                let mut cursor = Cursor::new(&mut fast);
                cursor.append([0xee]);
                let field = cursor.open(0x12, outer, [1]);
                let nested = cursor.open(0x5a, inner, [2]);
                cursor.append(content.as_slice());
                cursor.close(nested);
                cursor.append([3]);
                cursor.close(field);
                cursor.append([4]);
                cursor.finish();
                let (mut inside, mut plain) = (vec![1], Vec::new());
                ([0x5a], Varint(length as u64 + 1), [2], content.as_slice())
                    .encode_safe(&mut inside);
                inside.push(3);
                let whole = Varint(inside.len() as u64);
                ([0xee, 0x12], whole, inside.as_slice(), [4]).encode_safe(&mut plain);
                assert_eq!(fast, plain);
            }
        }
    }
}

/// A wrong use must be sound.
#[test]
fn closing_a_field_that_was_truncated_away_panics() {
    for left in 0..6 {
        for is_long in [false, true] {
            let outcome = std::panic::catch_unwind(|| {
                let mut buffer = Vec::with_capacity(600);
                let mut cursor = Cursor::new(&mut buffer);
                cursor.append([1, 2]);
                let field = cursor.open(0x12, is_long, [3]);
                cursor.with_buffer(|buffer| buffer.truncate(left));
                cursor.close(field);
                cursor.finish();
                buffer
            });
            let begins = 2 + 2 + usize::from(is_long);
            assert_eq!(outcome.is_ok(), left >= begins, "{left} {is_long}");
        }
    }
}

#[test]
fn appended_bytes_belong_to_the_buffer_after_finish() {
    let mut buffer = Vec::with_capacity(256);
    buffer.push(0xee);
    Cursor::new(&mut buffer).append([1, 2, 3]);
    assert_eq!(buffer, [0xee], "not finished");
    let mut cursor = Cursor::new(&mut buffer);
    cursor.append([1, 2]);
    cursor.with_buffer(|buffer| {
        assert_eq!(*buffer, [0xee, 1, 2]);
        buffer.shrink_to_fit();
        buffer.push(3);
    });
    cursor.append(&[4; 300][..]);
    cursor.finish();
    assert_eq!(buffer[..4], [0xee, 1, 2, 3]);
    assert_eq!(buffer[4..], [4; 300]);
}

proptest! {
    #[test]
    fn records_in_a_row_equal_the_safe_reference(
        records in proptest::collection::vec((proptest::collection::vec(any::<u8>(), 0..200), any::<bool>()), 0..12),
        room in 0_usize..600,
    ) {
        let (mut fast, mut plain) = (Vec::with_capacity(room), Vec::new());
        let mut cursor = Cursor::new(&mut fast);
        for (text, by_buffer) in &records {
            let value = (Varint(text.len() as u64), text.as_slice());
            value.encode_safe(&mut plain);
            match by_buffer {
                true => cursor.with_buffer(|buffer| append(buffer, value)),
                false => cursor.append(value),
            }
        }
        cursor.finish();
        prop_assert_eq!(fast, plain);
    }

    #[test]
    fn values_in_a_tuple_equal_the_safe_reference(
        number in any::<u64>(),
        shift in 0_u32..64,
        text in proptest::collection::vec(any::<u8>(), 0..300),
        more in proptest::option::of(proptest::collection::vec(any::<u8>(), 0..40)),
    ) {
        let number = number >> shift;
        let more = more.as_deref();
        agree((
            [0x0a],
            Varint(text.len() as u64),
            text.as_slice(),
            more,
            Varint(number),
            number.to_le_bytes(),
            more.map(|more| ([0x12], Varint(more.len() as u64), more)),
        ));
    }
}

/// A wrong use must be sound: it writes wrong bytes, or panics.
#[test]
fn fields_of_another_cursor_or_out_of_order_are_sound() {
    for length in [0, 1, 3, 125, 130, 300, 20_000] {
        for is_long in [false, true] {
            for room in [0, 700, 40_000] {
                let outcome = std::panic::catch_unwind(|| {
                    let mut other = Vec::new();
                    let mut far = Cursor::new(&mut other);
                    far.append(vec![1; length].as_slice());
                    let foreign = far.open(0x12, is_long, [1]);
                    let mut buffer = Vec::with_capacity(room);
                    let mut cursor = Cursor::new(&mut buffer);
                    let outer = cursor.open(0x12, is_long, [2]);
                    let inner = cursor.open(0x5a, !is_long, [3]);
                    let _never_closed = cursor.open(0x6a, is_long, [4]);
                    cursor.append([5; 200]);
                    cursor.close(outer);
                    cursor.close(inner);
                    cursor.close(foreign);
                    cursor.finish();
                    buffer.len()
                });
                assert!(outcome.is_err() || outcome.is_ok_and(|length| length >= 206));
            }
        }
    }
}

#[test]
fn a_cursor_finds_its_buffer_after_a_panic() {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    let mut buffer = Vec::with_capacity(1024);
    let mut cursor = Cursor::new(&mut buffer);
    let replaced = catch_unwind(AssertUnwindSafe(|| {
        cursor.with_buffer(|buffer| {
            *buffer = vec![7];
            panic!("after a new allocation");
        });
    }));
    assert!(replaced.is_err());
    cursor.append([8]);
    // Bytes before the open field are removed, and the buffer moves: closing the field panics.
    let taken_back = catch_unwind(AssertUnwindSafe(|| {
        let field = cursor.open(0x12, true, [1]);
        cursor.with_buffer(|buffer| {
            buffer.truncate(2);
            buffer.shrink_to_fit();
        });
        cursor.close(field);
    }));
    assert!(taken_back.is_err());
    cursor.append(&[9; 10][..]);
    cursor.finish();
    assert_eq!(buffer[..2], [7, 8]);
    assert_eq!(buffer[buffer.len() - 10..], [9; 10]);
}

#[test]
fn a_record_after_a_long_one_does_not_grow_the_buffer_again() {
    let mut buffer = Vec::with_capacity(64);
    append(&mut buffer, &[7; 100_000][..]);
    let capacity = buffer.capacity();
    let mut cursor = Cursor::new(&mut buffer);
    cursor.append([1, 2]);
    cursor.append(Varint(7));
    cursor.finish();
    assert_eq!(buffer.capacity(), capacity);
}
