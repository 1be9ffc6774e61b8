//! Models of the table of open spans: `cargo xtask loom`.
//!
//! Explores every order in which threads can insert, use and remove ids that share slots. No id may be lost, found by another, or
//! stay, and the maximum must hold.

use crate::state::table::Table;
use loom::thread;
use std::sync::Arc;

/// Ids at one address of the registry, with different generations: they share a bucket.
const IDS: [u64; 3] = [1, 1 | 1 << 51, 1 | 2 << 51];

/// Returns a table with a segment of `max` slots. The standard library's `OnceLock`, which publishes a segment, is unknown to the
/// model checker: threads only see segments that were there before they started.
fn table(max: usize) -> Arc<Table<u64>> {
    let table = Table::new(max);
    assert!(insert(&table, IDS[2]));
    assert!(remove(&table, IDS[2]).is_some());
    Arc::new(table)
}

/// Inserts an id with a value, which must be new.
fn insert(table: &Table<u64>, id: u64) -> bool {
    let Some(mut inserted) = table.insert(id) else {
        return false;
    };
    assert!(!inserted.is_replaced);
    *inserted.value = 10 * id;
    true
}

/// Removes an id, and returns its value.
fn remove(table: &Table<u64>, id: u64) -> Option<u64> {
    let locked = table.lock(id)?;
    let value = *locked;
    locked.remove();
    Some(value)
}

#[test]
fn each_thread_finds_its_own_id_until_it_removes_it() {
    loom::model(|| {
        let table = table(2);
        let work = |table: &Table<u64>, id: u64| {
            assert!(insert(table, id));
            assert_eq!(table.with(id, |value| *value), Some(10 * id));
            assert_eq!(remove(&table, id), Some(10 * id));
            assert_eq!(table.with(id, |value| *value), None);
        };
        let other = {
            let table = Arc::clone(&table);
            thread::spawn(move || work(&table, IDS[0]))
        };
        work(&table, IDS[1]);
        other.join().expect("no panic");
        assert_eq!(table.len(), 0);
    });
}

#[test]
fn a_stale_id_never_reaches_the_value_of_the_one_that_has_its_slot() {
    loom::model(|| {
        // One slot.
        let table = table(1);
        assert!(insert(&table, IDS[0]));
        let user = {
            let table = Arc::clone(&table);
            thread::spawn(move || {
                table.with(IDS[0], |value| {
                    assert_eq!(*value, 10 * IDS[0]);
                    *value += 1;
                })
            })
        };
        let removed = remove(&table, IDS[0]).expect("it is there");
        let is_in = insert(&table, IDS[1]);
        assert!(is_in, "there is room again");
        let used = user.join().expect("no panic").is_some();
        // The use came before the removal, or found nothing.
        assert_eq!(removed, 10 * IDS[0] + u64::from(used));
        assert_eq!(table.with(IDS[1], |value| *value), Some(10 * IDS[1]));
    });
}

#[test]
fn an_id_is_removed_once() {
    loom::model(|| {
        let table = table(2);
        assert!(insert(&table, IDS[0]));
        let other = {
            let table = Arc::clone(&table);
            thread::spawn(move || remove(&table, IDS[0]))
        };
        let here = remove(&table, IDS[0]);
        let there = other.join().expect("no panic");
        assert_eq!(here.or(there), Some(10 * IDS[0]));
        assert!(here.is_none() || there.is_none(), "removed twice");
        assert_eq!(table.removed(IDS[0], |value| *value), Some(10 * IDS[0]));
    });
}

#[test]
fn the_maximum_holds_and_every_slot_is_used() {
    loom::model(|| {
        let table = table(1);
        let other = {
            let table = Arc::clone(&table);
            thread::spawn(move || insert(&table, IDS[0]))
        };
        let here = insert(&table, IDS[1]);
        let there = other.join().expect("no panic");
        assert!(here != there, "one of two fits: {here} and {there}");
        assert_eq!(table.len(), 1);
        let (fits, not) = if here {
            (IDS[1], IDS[0])
        } else {
            (IDS[0], IDS[1])
        };
        assert_eq!(table.with(fits, |value| *value), Some(10 * fits));
        assert_eq!(table.with(not, |value| *value), None);
    });
}
