//! What `zerospan-stack` and `zerospan-attributes` save where a span's attributes are built.

use super::workload::heap_vec;
use crate::{Budget, Contest, Row};
use opentelemetry::KeyValue;
use std::hint::black_box;
use zerospan_core::{Attribute, AttributeSource};
use zerospan_stack::InlineAttributes;

/// The rows of this area.
pub(super) const ROWS: &[Row] = &[Row {
    id: "seed.stack",
    peer: "8 formatted attributes in a Vec<KeyValue>",
    ours: "the same text in InlineAttributes, on the stack",
    budget: Budget::AtLeast(20.4),
    allocations: Some(0.0),
    prepare: stack,
}];

/// Room for the eight attributes, and a little more.
type Set = InlineAttributes<8, 128>;

fn stack() -> Contest {
    Contest::new(
        1,
        heap_vec,
        || inline(|set| _ = black_box(set)),
        |peer: Vec<KeyValue>, ()| inline(|set| same(&peer, set)),
    )
}

/// Builds what `heap_vec` does, on the stack, and hands it on the way such a set is used: by reference. Returning it would
/// copy it, as returning any array does.
///
/// An attribute that was not taken is found missing when the two sides are compared.
fn inline<R>(read: impl FnOnce(&Set) -> R) -> R {
    let mut set = Set::new();
    for index in 0..8_u64 {
        let index = black_box(index);
        if set.try_push(("key_", index), ("value_", index)).is_err() {
            break;
        }
    }
    read(&set)
}

/// Whether both list the same attributes in the same order.
fn same(peer: &impl AttributeSource, ours: &impl AttributeSource) -> Result<(), String> {
    let (mut expected, mut found): (Vec<Attribute<'_>>, Vec<Attribute<'_>>) = Default::default();
    peer.for_each(|attribute| expected.push(attribute));
    ours.for_each(|attribute| found.push(attribute));
    if expected == found {
        Ok(())
    } else {
        Err(format!("the peer built {expected:?}, ours {found:?}"))
    }
}
