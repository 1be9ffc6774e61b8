//! Counts allocations: of the rows and of the growth as JSON for the program `benches`, and the memory table.
#![allow(clippy::print_stdout)]

use benches::comparison::{Comparison, Row};
use benches::measure::count_per_operation;
use benches::verdict::{Allocations, Counts};
use benches::{growth, rows};
use clap::Parser;
use opentelemetry::KeyValue;
use std::hint::black_box;
use zerospan_arena::SpanAttributeArena;
use zerospan_attributes::SharedAttributes;
use zerospan_core::AttributeSource;
use zerospan_core::dev::{self, CountingAllocator};
use zerospan_stack::{FixedAttributes, InlineAttributes, StackAttributes};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator::system();

/// Count heap allocations.
#[derive(Debug, Parser)]
enum Task {
    /// Of both sides of each row, per operation.
    Rows {
        /// Count only rows whose identifier starts with this.
        #[arg(long, value_name = "PREFIX", default_value = "")]
        only: String,
    },
    /// Of each side at each value of each series, per span.
    Growth,
    /// Of each way to hold 8 attributes, as a table.
    Memory,
}

fn main() -> anyhow::Result<()> {
    dev::Allocations::assert_counted();
    match Task::parse() {
        Task::Rows { only } => {
            let count_row = |row: Row| (row.id.to_owned(), count(&mut (row.prepare)()));
            let rows = rows::starting_with(&only).into_iter();
            let counts: Counts = rows.map(count_row).collect();
            println!("{}", serde_json::to_string(&counts)?);
        }
        Task::Growth => {
            let counts = growth::count(growth::SERIES, allocations).map_err(anyhow::Error::msg)?;
            println!("{}", serde_json::to_string(&counts)?);
        }
        Task::Memory => memory(),
    }
    Ok(())
}

fn count(comparison: &mut Comparison) -> Allocations {
    Allocations {
        peer: count_per_operation(comparison, Comparison::run_peer, allocations),
        ours: count_per_operation(comparison, Comparison::run_ours, allocations),
    }
}

/// Returns the number of allocations on all threads while `work` runs.
fn allocations(work: &mut dyn FnMut()) -> u64 {
    let before = dev::Allocations::all_threads();
    work();
    dev::Allocations::all_threads().since(before).count
}

const ATTRIBUTES: u64 = 8;

fn memory() {
    println!(
        "{ATTRIBUTES} attributes with formatted keys and values, in a use after the first\n\n\
         | held in | allocations | bytes |\n|---|--:|--:|"
    );
    row("`Vec<KeyValue>`", || formatted().collect::<Vec<_>>());
    row("`StackAttributes` (`SmallVec`)", || {
        formatted().collect::<StackAttributes>()
    });
    row("`FixedAttributes` (`ArrayVec`)", || {
        let mut set = FixedAttributes::<8>::new();
        for attribute in formatted() {
            assert!(set.try_push(attribute).is_ok());
        }
        set
    });
    let mut arena = SpanAttributeArena::new();
    row("`SpanAttributeArena`, between two resets", || {
        arena.reset();
        let mut set = arena.attributes(ATTRIBUTES as usize);
        for index in 0..ATTRIBUTES {
            set.push_concat(("key_", index), ("value_", index));
        }
        assert_eq!(set.len() as u64, ATTRIBUTES);
    });
    row("`InlineAttributes`, text included", || {
        let mut set = InlineAttributes::<8, 128>::new();
        for index in 0..ATTRIBUTES {
            assert!(set.try_push(("key_", index), ("value_", index)).is_ok());
        }
        black_box(&set);
    });
    let shared = SharedAttributes::new(formatted());
    row("`SharedAttributes`, a clone", || shared.clone());
}

fn formatted() -> impl Iterator<Item = KeyValue> {
    (0..ATTRIBUTES).map(rows::formatted_attribute)
}

fn row<T>(held_in: &str, mut hold: impl FnMut() -> T) {
    drop(black_box(hold()));
    let (held, counted) = dev::Allocations::measure(&mut hold);
    drop(black_box(held));
    println!("| {held_in} | {} | {} |", counted.count, counted.bytes);
}
