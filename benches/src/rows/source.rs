//! Reading attributes through the borrowed views of `zerospan-core`.

use crate::comparison::{Budget, Comparison, Row};
use opentelemetry::KeyValue;
use zerospan_core::{Attribute, AttributeSink, AttributeValue, SinkError};

pub(super) const ROWS: &[Row] = &[Row {
    id: "core.source",
    peer: "8 attributes cloned into a Vec<KeyValue>, then read",
    ours: "the same attributes read through AttributeSource",
    budget: Budget::AtLeast(5.0),
    allocations: Some(0.0),
    prepare: source,
}];

fn source() -> Comparison {
    let attributes: Vec<KeyValue> = (0..8)
        .map(|index| {
            KeyValue::new(
                format!("attribute.key.{index}"),
                format!("value number {index}"),
            )
        })
        .collect();
    let borrowed = attributes.clone();
    Comparison::new(
        1,
        move || {
            let owned = attributes.clone();
            owned.iter().map(length).sum()
        },
        move || {
            let mut sink = Length(0);
            sink.push_all(&borrowed).map(|()| sink.0)
        },
        |peer: usize, ours| {
            if ours == Ok(peer) {
                Ok(())
            } else {
                Err(format!("the peer read {peer}, ours {ours:?}"))
            }
        },
    )
}

/// Returns the length of key and value, which an encoder needs first.
fn length(attribute: &KeyValue) -> usize {
    attribute.key.as_str().len() + attribute.value.as_str().len()
}

struct Length(usize);

impl AttributeSink for Length {
    fn push_attribute(&mut self, attribute: Attribute<'_>) -> Result<(), SinkError> {
        let AttributeValue::Str(text) = attribute.value else {
            return Err(SinkError::Unsupported);
        };
        self.0 += attribute.key.len() + text.len();
        Ok(())
    }
}
