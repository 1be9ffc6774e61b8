//! Every row, by area.

mod core;
mod limit;
mod otlp;
mod scale;
mod sdk;
mod seed_arena;
mod seed_pool;
mod seed_stack;
pub(crate) mod server;
pub(crate) mod trace;
mod workload;

use crate::Row;

/// The rows whose identifier begins with `prefix`, in the order they are printed.
pub fn starting_with(prefix: &str) -> Vec<Row> {
    [
        core::ROWS,
        otlp::ROWS,
        sdk::ROWS,
        trace::ROWS,
        scale::ROWS,
        limit::ROWS,
        seed_pool::ROWS,
        seed_stack::ROWS,
        seed_arena::ROWS,
    ]
    .into_iter()
    .flatten()
    .copied()
    .filter(|row| row.id.starts_with(prefix))
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn identifiers_are_unique() {
        let mut seen = HashSet::new();
        for row in starting_with("") {
            assert!(seen.insert(row.id), "{} stands twice", row.id);
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
