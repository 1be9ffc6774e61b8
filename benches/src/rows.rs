//! Every row, by area.

mod arena;
mod attributes;
mod http;
mod limit;
mod logs;
mod otlp;
mod pool;
mod scale;
mod sdk;
mod service;
mod source;
mod text;
mod trace;
mod tracing;

pub use attributes::{formatted_attribute, heap_vec};
pub(crate) use http::{SPANS as BATCH, spans as batch};
pub use service::ROWS as SERVICE;
pub(crate) use tracing::{normalize, official_layer, our_layer, start_eight};

use crate::comparison::{Promise, Row};

/// Returns the rows whose identifier starts with `prefix`, in the order in which they are printed.
pub fn starting_with(prefix: &str) -> Vec<Row> {
    [
        source::ROWS,
        otlp::ROWS,
        text::ROWS,
        sdk::ROWS,
        trace::ROWS,
        tracing::ROWS,
        logs::ROWS,
        scale::ROWS,
        limit::ROWS,
        pool::ROWS,
        attributes::ROWS,
        arena::ROWS,
    ]
    .into_iter()
    .flatten()
    .copied()
    .filter(|row| row.id.starts_with(prefix))
    .collect()
}

/// Returns the row `id`.
pub fn find(id: &str) -> Option<Row> {
    starting_with(id).into_iter().find(|row| row.id == id)
}

/// Returns what the row `id` promises, whichever program measures it.
pub fn promise(id: &str) -> Option<Promise> {
    let of_service = SERVICE.iter().copied();
    find(id)
        .map(|row| row.promise())
        .or_else(|| of_service.into_iter().find(|row| row.id == id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn identifiers_are_unique() {
        let mut seen = HashSet::new();
        for row in starting_with("") {
            assert!(seen.insert(row.id), "{} appears twice", row.id);
        }
    }

    #[test]
    fn both_sides_of_every_row_agree() {
        for row in starting_with("") {
            if let Err(difference) = (row.prepare)().check() {
                panic!("{}: {difference}", row.id);
            }
        }
    }
}
