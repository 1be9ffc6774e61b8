//! Every part against its safe twin.

use super::{BOUND, Cursor, Short, TEMPLATE, Template, Varint, Zeros, varint_len};
use super::{Part, append};
use proptest::prelude::*;

/// Appends both ways, into a buffer with no room to spare and into one with plenty.
fn agree(part: impl Part) {
    let mut plain = vec![0xee; 3];
    part.plain(&mut plain);
    for room in [0, 1, 40, 4096] {
        let mut fast = Vec::with_capacity(3 + room);
        fast.extend_from_slice(&[0xee; 3]);
        append(&mut fast, part);
        assert_eq!(fast, plain);
        fast.truncate(3);
        fast.shrink_to(3 + room);
        let mut cursor = Cursor::new(&mut fast);
        cursor.append(part);
        cursor.finish();
        assert_eq!(fast, plain);
    }
    assert!(plain.len() - 3 <= part.most());
}

#[test]
fn every_slice_length_is_copied_as_it_stands() {
    let source: Vec<u8> = (0..=255).cycle().take(1025).collect();
    for length in (0..200).chain([255, 256, 257, 1024, 1025]) {
        agree(&source[..length]);
        agree((&source[..length], [0xff], &source[..length]));
    }
}

#[test]
fn every_varint_length_is_shortest() {
    for bits in 0..64 {
        for value in [
            (1_u64 << bits) - 1,
            1 << bits,
            (1 << bits) + 1,
            u64::MAX << bits,
        ] {
            agree(Varint(value));
            let mut plain = Vec::new();
            Varint(value).plain(&mut plain);
            assert_eq!(varint_len(value), plain.len(), "{value:#x}");
        }
    }
    agree(Varint(u64::MAX));
}

#[test]
fn a_short_slice_and_zeros_are_as_long_as_they_say() {
    let source: Vec<u8> = (0..BOUND as u8).collect();
    for length in 0..=BOUND {
        agree((Short::new(&source[..length]), Zeros(length % 11), [1]));
        let pair = Short::pair(&source[..length], &source[length..]);
        assert_eq!(pair.is_some(), length > 0);
        if let Some(pair) = pair {
            agree(pair);
        }
    }
    assert!(Short::new(&[0; BOUND + 1]).is_none());
    assert!(Short::pair(&[0; BOUND], &[0]).is_none());
}

#[test]
fn only_the_named_length_of_a_template_counts() {
    let bytes = std::array::from_fn::<u8, TEMPLATE, _>(|index| index as u8);
    for length in 2..=TEMPLATE {
        agree(([1], Template::new(&bytes, length, [8, 9]), [2]));
    }
}

#[test]
fn what_a_cursor_appends_belongs_to_the_buffer_once_it_is_finished() {
    let mut buffer = Vec::with_capacity(256);
    buffer.push(0xee);
    Cursor::new(&mut buffer).append([1, 2, 3]);
    assert_eq!(buffer, [0xee], "not finished");
    let mut cursor = Cursor::new(&mut buffer);
    cursor.append([1, 2]);
    cursor.with(|buffer| {
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
    fn a_row_of_records_is_what_the_safe_way_writes(
        records in proptest::collection::vec((proptest::collection::vec(any::<u8>(), 0..200), any::<bool>()), 0..12),
        room in 0_usize..600,
    ) {
        let (mut fast, mut plain) = (Vec::with_capacity(room), Vec::new());
        let mut cursor = Cursor::new(&mut fast);
        for (text, by_buffer) in &records {
            let part = (Varint(text.len() as u64), text.as_slice());
            part.plain(&mut plain);
            match by_buffer {
                true => cursor.with(|buffer| append(buffer, part)),
                false => cursor.append(part),
            }
        }
        cursor.finish();
        prop_assert_eq!(fast, plain);
    }

    #[test]
    fn parts_in_a_row_are_what_the_safe_way_writes(
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
