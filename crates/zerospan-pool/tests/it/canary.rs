//! Reused objects reveal nothing of an earlier use.

use crate::backends::{Text, Texts, on_another_thread, on_every_backend, panics};
use zerospan_core::dev::{Canary, conformance};
use zerospan_pool::Pool;

#[test]
fn the_recycler_of_these_tests_meets_the_reset_contract() {
    conformance::ResetCheck::new(
        |text: &mut String, canary: &mut Canary| text.push_str(&canary.text(24)),
        |text: &String, out: &mut Vec<u8>| out.extend_from_slice(text.as_bytes()),
    )
    .check_recycle(&Text);
}

/// Acquires all objects of the pool and some fresh ones, and asserts that none contains a mark of `canary`.
fn assert_clean(name: &str, way: &str, pool: &impl Pool<Object = String>, canary: &Canary) {
    let all: Vec<_> = (0..pool.len() + 2).map(|_| pool.acquire()).collect();
    for text in &all {
        assert!(text.is_empty(), "{name}: {way}");
        assert!(!canary.is_in(text.as_bytes()), "{name}: {way}");
    }
}

#[test]
fn no_way_of_returning_leaves_content_readable() {
    fn check(name: &str, pool: impl Pool<Object = String> + Sync) {
        let mut canary = Canary::new(77);
        let mark = canary.text(24);
        let marked = || {
            let mut text = pool.acquire();
            text.push_str(&mark);
            text
        };

        drop(marked());
        assert_clean(name, "drop", &pool, &canary);
        marked().release();
        assert_clean(name, "release", &pool, &canary);
        assert!(panics(|| {
            let _text = marked();
            panic!("the user's");
        }));
        assert_clean(name, "panic", &pool, &canary);
        assert_eq!(marked().detach(), mark);
        assert_clean(name, "detach", &pool, &canary);
        // Exhaustion and overflow: more loans than the pool keeps, returned at once.
        drop((0..100).map(|_| marked()).collect::<Vec<_>>());
        assert!(pool.stats().discards.full > 0);
        assert_clean(name, "overflow", &pool, &canary);
        on_another_thread(|| drop((0..70).map(|_| marked()).collect::<Vec<_>>()));
        assert_clean(name, "thread exit", &pool, &canary);
        let (one, two) = (marked(), marked());
        on_another_thread(|| drop(one));
        assert_clean(name, "return elsewhere", &pool, &canary);
        drop(two);
        assert_clean(name, "return after it", &pool, &canary);
    }
    on_every_backend!(check, 64, Text, usize::MAX, Texts);
}
