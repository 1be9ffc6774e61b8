use super::*;
use proptest::prelude::*;
use std::collections::HashMap;

/// Returns an id of the registry's form, of few addresses and generations.
fn id() -> impl Strategy<Value = u64> {
    (1_u64..40, 0_u64..3)
        .prop_map(|(address, generation)| address | (generation << GENERATION_SHIFT))
}

/// Removes an id, and returns its value.
fn remove(table: &Table<u64>, id: u64) -> Option<u64> {
    let locked = table.lock(id)?;
    let value = *locked;
    locked.remove();
    Some(value)
}

proptest! {
    #[test]
    fn the_table_behaves_like_a_map_of_its_capacity(
        max in 1_usize..100,
        program in proptest::collection::vec((id(), 0..3_u8), 1..400),
    ) {
        let table = Table::<u64>::new(max);
        let mut model = HashMap::new();
        for (step, (id, action)) in program.into_iter().enumerate() {
            let step = step as u64;
            match action {
                0 => {
                    let was_there = table.insert(id).map(|mut inserted| {
                        *inserted.value = step;
                        inserted.is_replaced
                    });
                    let fits = model.len() < max || model.contains_key(&id);
                    prop_assert_eq!(was_there, fits.then(|| model.contains_key(&id)));
                    if fits {
                        model.insert(id, step);
                    }
                }
                1 => {
                    let removed = remove(&table, id);
                    prop_assert_eq!(removed, model.remove(&id));
                    if removed.is_some() {
                        prop_assert_eq!(table.removed(id, |value| *value), removed);
                    }
                }
                _ => prop_assert_eq!(table.with(id, |value| *value), model.get(&id).copied()),
            }
            prop_assert_eq!(table.len(), model.len());
        }
    }
}

#[test]
fn threads_keep_their_values_apart_while_the_table_grows() {
    const THREADS: u64 = 4;
    const EACH: u64 = 500;
    let table = Table::<u64>::new((THREADS * EACH) as usize);
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let table = &table;
            scope.spawn(move || {
                for round in 0..3 {
                    let id =
                        |number: u64| (thread << 38) | (number + 1) | (round << GENERATION_SHIFT);
                    for number in 0..EACH {
                        *table.insert(id(number)).expect("there is room").value = id(number);
                    }
                    for number in (0..EACH).rev() {
                        assert_eq!(table.with(id(number), |value| *value), Some(id(number)));
                        assert_eq!(remove(table, id(number)), Some(id(number)));
                        assert_eq!(table.with(id(number), |value| *value), None);
                    }
                }
            });
        }
    });
    assert_eq!(table.len(), 0);
}
