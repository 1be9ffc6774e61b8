/// Hashes all bytes of a key.
///
/// The hash finds a key among those of a span. It does not withstand an attacker, who gains no more by collisions than the cost
/// of a linear search.
#[inline(always)]
pub(crate) const fn hash(key: &[u8]) -> u32 {
    const SEED: u64 = 0x9e37_79b9_7f4a_7c15;
    const STEP: u64 = 0xd6e8_feb8_6659_fd93;

    let length = key.len() as u64;
    let (head, tail) = match (key.first_chunk::<8>(), key.last_chunk::<8>()) {
        (Some(head), Some(tail)) => (u64::from_le_bytes(*head), u64::from_le_bytes(*tail)),
        _ => match (key.first_chunk::<4>(), key.last_chunk::<4>()) {
            (Some(head), Some(tail)) => (
                u32::from_le_bytes(*head) as u64,
                u32::from_le_bytes(*tail) as u64,
            ),
            _ => match key {
                [] => (0, 0),
                [one] => (*one as u64, 1),
                [one, two] => (*one as u64, (*two as u64) << 8),
                [one, two, .., last] => (*one as u64, ((*two as u64) << 8) | *last as u64),
            },
        },
    };
    let mut state = mix(head ^ SEED ^ length, tail ^ STEP);
    if key.len() > 16 {
        let (_, rest) = key.split_at(8);
        if let (Some(second), Some(last_but_one), true) = (
            rest.first_chunk::<8>(),
            key.split_at(key.len() - 8).0.last_chunk::<8>(),
            key.len() <= 32,
        ) {
            state ^= mix(
                u64::from_le_bytes(*second) ^ STEP,
                u64::from_le_bytes(*last_but_one) ^ SEED,
            );
        } else {
            let mut rest = rest;
            while let Some((word, after)) = rest.split_first_chunk::<8>() {
                state = mix(state ^ u64::from_le_bytes(*word), STEP ^ length);
                rest = after;
            }
        }
    }
    (state ^ (state >> 32)) as u32
}

#[inline(always)]
const fn mix(one: u64, other: u64) -> u64 {
    let product = one as u128 * other as u128;
    product as u64 ^ (product >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::hash;
    use std::collections::HashSet;

    #[test]
    fn keys_that_differ_anywhere_hash_differently() {
        let mut seen = HashSet::new();
        let mut keys = 0;
        for length in 0..100_usize {
            for changed in 0..length.max(1) {
                for with in [b'b', b'z'] {
                    let mut key = vec![b'a'; length];
                    if let Some(byte) = key.get_mut(changed) {
                        *byte = with;
                    }
                    seen.insert((length, hash(&key)));
                    keys += 1;
                    if length == 0 {
                        break;
                    }
                }
                if length == 0 {
                    break;
                }
            }
        }
        // 32 bits: one collision among ten thousand keys is possible, two would be a fault.
        assert!(seen.len() + 2 > keys, "{} of {keys}", seen.len());
    }

    #[test]
    fn keys_that_differ_in_one_byte_spread_over_the_table_and_the_filter() {
        for length in 1..40_usize {
            for changed in 0..length {
                let (mut slots, mut bits) = (HashSet::new(), HashSet::new());
                for byte in b'0'..b'0' + 64 {
                    let mut key = vec![b'.'; length];
                    key[changed] = byte;
                    let hash = hash(&key);
                    slots.insert(hash & 0xff);
                    bits.insert(hash >> 24);
                }
                // Random ones of 256 would be 57: at least half as many.
                let spread = slots.len().min(bits.len());
                assert!(spread > 28, "{spread}: byte {changed} of {length}");
            }
        }
    }
}
