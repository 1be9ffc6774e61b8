//! Arbitrary damage to encoded bytes.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

/// Bytes that change, and an end that may come too early.
#[derive(Clone, Debug)]
pub(crate) struct Damage {
    changes: Vec<(Index, u8)>,
    end: Option<Index>,
}

impl Damage {
    /// Returns `bytes`, with an unknown field at the end, damaged.
    pub(crate) fn apply_to(&self, mut bytes: Vec<u8>) -> Vec<u8> {
        bytes.extend_from_slice(&[0x50, 0x01]);
        for (index, byte) in &self.changes {
            let index = index.index(bytes.len());
            bytes[index] = *byte;
        }
        if let Some(end) = self.end {
            bytes.truncate(end.index(bytes.len() + 1));
        }
        bytes
    }
}

pub(crate) fn damage() -> impl Strategy<Value = Damage> {
    let changes = vec((any::<Index>(), any::<u8>()), 0..8);
    let end = prop::option::of(any::<Index>());
    (changes, end).prop_map(|(changes, end)| Damage { changes, end })
}
