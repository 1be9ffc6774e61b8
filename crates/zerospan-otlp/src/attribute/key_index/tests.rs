use super::*;
use proptest::prelude::*;

/// Returns an index of `count` entries, and the hash of each.
fn index(count: usize) -> (KeyIndex, Vec<u32>) {
    let mut index = KeyIndex::new(false);
    let hashes: Vec<u32> = (0..count as u32)
        .map(|key| (key + 1).wrapping_mul(0x9e37_79b9))
        .collect();
    for (start, hash) in hashes.iter().enumerate() {
        index.push(*hash, 10 * start);
    }
    (index, hashes)
}

fn starts(index: &KeyIndex) -> Vec<usize> {
    index.entries().iter().map(|entry| entry.start).collect()
}

#[test]
fn room_without_a_table_ends_at_its_maximum() {
    for count in [0, 1, MAX_INLINE] {
        let (index, _) = index(count);
        let free = MAX_INLINE - count;
        assert!(index.takes_inline(&Filter::EMPTY, free), "{count}");
        assert!(!index.takes_inline(&Filter::EMPTY, free + 1), "{count}");
    }
    let (mut index, hashes) = index(1);
    let mut filter = Filter::EMPTY;
    filter.insert(hashes[0]);
    assert!(!index.takes_inline(&filter, 1));
    index.push_inline(77 << 24, 10);
    assert!(!index.may_contain(77 << 24));
    filter = Filter::EMPTY;
    filter.insert(77 << 24);
    index.extend_filter(&filter);
    assert!(index.may_contain(77 << 24) && index.may_contain(hashes[0]));
    assert_eq!((index.len(), starts(&index)), (2, vec![0, 10]));
}

#[test]
fn a_key_is_held_in_a_copy_and_after_an_append_as_in_the_list() {
    for count in [0, 3, MAX_INLINE, MAX_INLINE + 1, 40] {
        let (other, hashes) = index(count);
        let mut copy = index(MAX_INLINE + 3).0;
        copy.copy_from(&other);
        assert_eq!((copy.len(), starts(&copy)), (count, starts(&other)));
        for before in [0, 1, MAX_INLINE - 3] {
            let mut all = KeyIndex::new(false);
            for number in 0..before {
                all.push(number as u32, number);
            }
            assert!(all.is_disjoint(&KeyIndex::default()));
            all.push_all(&other, 1000);
            assert_eq!(all.len(), before + count);
            let expected: Vec<usize> = (0..before)
                .chain((0..count).map(|entry| 1000 + 10 * entry))
                .collect();
            assert_eq!(starts(&all), expected);
            for (number, hash) in hashes.iter().enumerate() {
                let found = all.find(*hash, |entry| entry.start == 1000 + 10 * number);
                assert_eq!(found, Some(before + number));
                assert_eq!(copy.find(*hash, |_| true), Some(number));
            }
            assert_eq!(all.is_disjoint(&other), count == 0);
        }
    }
}

#[test]
fn entries_behind_a_value_that_changed_move_by_the_difference() {
    for count in [4, MAX_INLINE + 4] {
        let (mut index, _) = index(count);
        let last = 10 * (count - 1);
        index.shift(2, 5, 8);
        assert_eq!(starts(&index)[..4], [0, 10, 23, 33]);
        assert_eq!(starts(&index)[count - 1], last + 3);
        index.shift(1, 8, 1);
        assert_eq!(starts(&index)[..4], [0, 3, 16, 26]);
    }
}

#[test]
fn an_index_that_keeps_repeated_keys_finds_none() {
    let mut index = KeyIndex::new(true);
    index.push(1, 0);
    assert_eq!(index.find(1, |_| true), None);
    index.keep_repeated = false;
    assert_eq!(index.find(1, |_| true), Some(0));
}

#[test]
fn room_is_reserved_in_memory_only_beyond_the_maximum_without_a_table() {
    let (mut index, _) = index(6);
    index.reserve(MAX_INLINE - 6);
    assert_eq!(index.heap_bytes(), 0);
    index.reserve(MAX_INLINE - 5);
    let needed = (MAX_INLINE + 1) * size_of::<Entry>();
    assert!((needed..2 * needed).contains(&index.heap_bytes()));
    let (spilled, _) = super::tests::index(MAX_INLINE + 1);
    assert!(
        spilled.heap_bytes() > (MAX_INLINE + 1) * size_of::<Entry>() + 4 * 2 * (MAX_INLINE + 1)
    );
}

#[test]
fn most_keys_that_are_not_held_are_recognised_by_the_filter() {
    let (index, _) = index(8);
    let others = (1_000..2_000_u32).map(|key| key.wrapping_mul(0x9e37_79b9));
    let taken_for_held = others.filter(|hash| index.may_contain(*hash)).count();
    // 8 of 256 bits are set: 31 of 1,000.
    assert!(taken_for_held < 100, "{taken_for_held}");
}

proptest! {
    #[test]
    fn the_index_finds_the_entries_that_a_list_finds(
        uses in proptest::collection::vec(proptest::collection::vec(0_u32..400, 0..200), 1..4),
        weak in any::<bool>(),
    ) {
        let mut index = KeyIndex::default();
        for keys in uses {
            index.reset();
            let mut model: Vec<u32> = Vec::new();
            for key in keys {
                // A weak hash makes keys collide.
                let hash = if weak { key % 7 } else { key.wrapping_mul(0x9e37_79b9) };
                let found = index.find(hash, |entry| entry.start == key as usize);
                let expected = model.iter().position(|held| *held == key);
                prop_assert_eq!(found, expected);
                if expected.is_none() {
                    index.push(hash, key as usize);
                    model.push(key);
                }
            }
            prop_assert_eq!(index.len(), model.len());
        }
    }
}
