use proptest::prelude::{Strategy, any, prop, prop_assert, prop_assert_eq, prop_oneof, proptest};
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;
use zerospan_attributes::{Interner, InternerStats};
use zerospan_core::dev::{Canary, conformance};
use zerospan_core::{Footprint, Recycle, Reset};

#[test]
fn reset_leaves_no_earlier_text_readable() {
    conformance::ResetCheck::new(
        |interner: &mut Interner, canary: &mut Canary| {
            for length in [8, 40, 1000] {
                drop(interner.intern(&canary.text(length)));
            }
        },
        |interner: &Interner, out: &mut Vec<u8>| {
            // An interner lists no texts: the readable ones are those that `peek` finds, here the marks of the canaries.
            for seed in [0x0f1, 0x0f2] {
                let mut canary = Canary::new(seed);
                for length in [8, 40, 1000] {
                    if let Some(text) = interner.peek(&canary.text(length)) {
                        out.extend_from_slice(text.as_bytes());
                    }
                }
            }
            out.extend_from_slice(format!("{:?}", interner.stats()).as_bytes());
        },
    )
    .check_recycle(&OwnMemory);
}

/// Measures an interner without its texts, which a reset removes.
struct OwnMemory;

impl Recycle<Interner> for OwnMemory {
    fn create(&self) -> Interner {
        Interner::default()
    }

    fn reset(&self, interner: &mut Interner) {
        interner.reset();
    }

    fn heap_bytes(&self, interner: &Interner) -> usize {
        interner.heap_bytes() - interner.bytes()
    }
}

#[test]
fn the_least_recently_used_text_is_evicted_first() {
    let mut interner = Interner::new(2, 100);
    let first = interner.intern("first");
    drop(interner.intern("second"));
    drop(interner.intern("first"));
    drop(interner.intern("third"));
    assert!(interner.peek("second").is_none());
    assert!(
        interner
            .peek("first")
            .is_some_and(|text| Arc::ptr_eq(text, &first))
    );
    drop(interner.intern("fourth"));
    assert_eq!(&*first, "first", "an evicted text lives on in its holder");
    assert_eq!(interner.stats().evictions, 2);
    assert_eq!(interner.stats().hit_rate(), 0.2);
}

#[test]
fn bounds_of_zero_and_of_usize_max_hold() {
    let mut nothing = Interner::new(0, usize::MAX);
    let mut empty_only = Interner::new(usize::MAX, 0);
    for text in ["", "a", "a"] {
        assert_eq!(&*nothing.intern(text), text);
        assert_eq!(&*empty_only.intern(text), text);
    }
    assert_eq!((nothing.len(), nothing.stats().too_large), (0, 3));
    assert_eq!((empty_only.len(), empty_only.stats().too_large), (1, 2));

    let mut everything = Interner::new(usize::MAX, usize::MAX);
    assert_eq!(everything.heap_bytes(), 0, "nothing is reserved");
    let large = "日本語".repeat(1 << 17);
    for text in [&large, "", &large] {
        assert_eq!(&*everything.intern(text), text);
    }
    assert_eq!(everything.bytes(), large.len());
    assert_eq!(everything.stats().hits, 1);
}

#[test]
fn a_text_larger_than_the_bound_evicts_no_other() {
    let mut interner = Interner::new(8, 10);
    drop(interner.intern("small"));
    let large = interner.intern(&"x".repeat(1 << 20));
    assert_eq!(large.len(), 1 << 20);
    assert_eq!((interner.len(), interner.bytes()), (1, 5));
    let stats = interner.stats();
    assert_eq!((stats.too_large, stats.evictions), (1, 0));
}

#[test]
fn memory_stays_bounded_for_any_number_of_texts() {
    let mut interner = Interner::new(64, 4096);
    for index in 0..2_000 {
        drop(interner.intern(&format!("text {index}")));
    }
    let settled = interner.heap_bytes() - interner.bytes();
    for index in 0..20_000 {
        drop(interner.intern(&format!("other {index}")));
        assert!(interner.len() <= 64 && interner.bytes() <= 4096);
    }
    assert_eq!(interner.heap_bytes() - interner.bytes(), settled);
    interner.clear();
    assert!(interner.is_empty());
    assert_eq!(
        interner.stats().misses,
        22_000,
        "clear keeps the statistics"
    );
    assert_eq!(&*interner.intern("again"), "again");
}

/// Hashes every text to the same value.
#[derive(Clone, Copy)]
struct Colliding;

impl BuildHasher for Colliding {
    type Hasher = Self;

    fn build_hasher(&self) -> Self {
        Self
    }
}

impl Hasher for Colliding {
    fn write(&mut self, _: &[u8]) {}

    fn finish(&self) -> u64 {
        7
    }
}

#[derive(Clone, Debug)]
enum Step {
    Intern(String),
    Peek(String),
    Clear,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let text = prop_oneof![4 => "[a-e]{0,2}", 1 => "[ü🦀]{0,4}"];
    let step = prop_oneof![
        12 => text.clone().prop_map(Step::Intern),
        4 => text.prop_map(Step::Peek),
        1 => any::<bool>().prop_map(|_| Step::Clear),
    ];
    prop::collection::vec(step, 0..80)
}

/// The model: a list of texts, the most recently used first.
struct Model {
    texts: Vec<Arc<str>>,
    stats: (u64, u64, u64, u64),
    max_entries: usize,
    max_bytes: usize,
}

impl Model {
    fn bytes(&self) -> usize {
        self.texts.iter().map(|text| text.len()).sum()
    }

    /// Returns the text that the interner must return, if it is known.
    fn intern(&mut self, text: &str) -> Option<Arc<str>> {
        if let Some(place) = self.texts.iter().position(|known| **known == *text) {
            self.stats.0 += 1;
            let known = self.texts.remove(place);
            self.texts.insert(0, Arc::clone(&known));
            return Some(known);
        }
        self.stats.1 += 1;
        if self.max_entries == 0 || text.len() > self.max_bytes {
            self.stats.3 += 1;
            return None;
        }
        while self.texts.len() == self.max_entries || self.bytes() + text.len() > self.max_bytes {
            self.texts.pop();
            self.stats.2 += 1;
        }
        None
    }
}

fn drive<S: BuildHasher>(
    mut interner: Interner<S>,
    max_entries: usize,
    max_bytes: usize,
    steps: Vec<Step>,
) -> Result<(), proptest::test_runner::TestCaseError> {
    let mut model = Model {
        texts: Vec::new(),
        stats: (0, 0, 0, 0),
        max_entries,
        max_bytes,
    };
    for step in steps {
        match step {
            Step::Intern(text) => {
                let too_large = model.stats.3;
                let known = model.intern(&text);
                let interned = interner.intern(&text);
                prop_assert_eq!(&*interned, text.as_str());
                match known {
                    Some(known) => prop_assert!(Arc::ptr_eq(&known, &interned)),
                    None if model.stats.3 == too_large => model.texts.insert(0, interned),
                    None => {}
                }
            }
            Step::Peek(text) => {
                let known = model.texts.iter().find(|known| ***known == *text);
                let peeked = interner.peek(&text);
                prop_assert_eq!(peeked.is_some(), known.is_some());
                if let (Some(peeked), Some(known)) = (peeked, known) {
                    prop_assert!(Arc::ptr_eq(peeked, known));
                }
            }
            Step::Clear => {
                interner.clear();
                model.texts.clear();
            }
        }
        prop_assert_eq!(interner.len(), model.texts.len());
        prop_assert_eq!(interner.bytes(), model.bytes());
        prop_assert!(interner.len() <= max_entries && interner.bytes() <= max_bytes);
        let InternerStats {
            hits,
            misses,
            evictions,
            too_large,
            ..
        } = interner.stats();
        prop_assert_eq!((hits, misses, evictions, too_large), model.stats);
    }
    Ok(())
}

proptest! {
    #[test]
    fn an_interner_keeps_the_most_recently_used_texts(
        max_entries in 0_usize..6, max_bytes in 0_usize..12, steps in steps()
    ) {
        let interner = Interner::new(max_entries, max_bytes);
        drive(interner, max_entries, max_bytes, steps)?;
    }

    #[test]
    fn texts_with_equal_hashes_are_kept_apart(
        max_entries in 0_usize..6, max_bytes in 0_usize..12, steps in steps()
    ) {
        let interner = Interner::with_hasher(max_entries, max_bytes, Colliding);
        drive(interner, max_entries, max_bytes, steps)?;
    }
}
