//! A thread's own state, so that a log record writes to nothing that threads share.

use crate::slot::{self, Slot};
use opentelemetry::InstrumentationScope;
use std::cell::{Cell, RefCell};
use zerospan_core::Reset;
use zerospan_export::Scope;
use zerospan_otlp::LogRecordLimits;
use zerospan_pool::thread_states::OwnerId;
use zerospan_trace::Clock;
use zerospan_trace::shared::ClockReader;

struct ThisThread {
    /// The slot of the record that was emitted last, for the next one. The pool has the others.
    spare_slot: Cell<Option<Box<Slot>>>,
    clock: ClockReader,
    scopes: RefCell<TargetScopes>,
}

thread_local! {
    static THIS_THREAD: ThisThread = const {
        ThisThread {
            spare_slot: Cell::new(None),
            clock: ClockReader::new(),
            scopes: RefCell::new(TargetScopes { entries: Vec::new() }),
        }
    };
}

/// Returns an empty slot with `limits`. Allocates if none is idle.
#[inline]
pub(crate) fn take_slot(limits: &LogRecordLimits) -> Box<Slot> {
    let spare = THIS_THREAD.try_with(|thread| thread.spare_slot.take());
    let mut slot = spare.ok().flatten().unwrap_or_else(slot::take);
    slot::prepare(&mut slot, limits);
    slot
}

/// Keeps the slot of a record that is emitted or dropped, within the limits.
#[inline]
pub(crate) fn put_slot(mut slot: Box<Slot>) {
    slot::settle(&mut slot);
    slot.reset();
    let mut slot = Some(slot);
    let _ = THIS_THREAD.try_with(|thread| {
        let spare = thread.spare_slot.take();
        thread.spare_slot.set(spare.or_else(|| slot.take()));
    });
    if let Some(slot) = slot {
        slot::put(slot);
    }
}

/// Returns the time by `clock`, which is the clock of `owner`, in nanoseconds since 1970.
#[inline]
pub(crate) fn unix_nanos(owner: OwnerId, clock: &Clock) -> u64 {
    THIS_THREAD
        .try_with(|thread| thread.clock.unix_nanos(owner, clock))
        .unwrap_or_else(|_| ClockReader::new().unix_nanos(owner, clock))
}

/// Returns the scope `scope` of the logger `logger`, with `target` as its name.
///
/// Allocates for a target that this thread has not seen lately.
#[inline]
pub(crate) fn scope_of(logger: OwnerId, scope: &InstrumentationScope, target: &str) -> Scope {
    let known = THIS_THREAD.try_with(|thread| {
        let mut scopes = thread.scopes.try_borrow_mut().ok()?;
        Some(scopes.get(logger, scope, target))
    });
    known
        .ok()
        .flatten()
        .unwrap_or_else(|| with_name(scope, target))
}

/// The scopes of targets, each in the place that its text determines: a thread keeps few, and a new one replaces an old one.
struct TargetScopes {
    entries: Vec<Option<Entry>>,
}

struct Entry {
    logger: OwnerId,
    target: Box<str>,
    scope: Scope,
}

const ENTRIES: usize = 128;

/// The length of the longest target whose scope is kept.
const MAX_TARGET_BYTES: usize = 256;

impl TargetScopes {
    fn get(&mut self, logger: OwnerId, scope: &InstrumentationScope, target: &str) -> Scope {
        let place = place_of(target);
        if let Some(Some(entry)) = self.entries.get(place)
            && entry.logger == logger
            && *entry.target == *target
        {
            return entry.scope.clone();
        }
        self.insert(place, logger, scope, target)
    }

    #[cold]
    #[inline(never)]
    fn insert(
        &mut self,
        place: usize,
        logger: OwnerId,
        scope: &InstrumentationScope,
        target: &str,
    ) -> Scope {
        let scope = with_name(scope, target);
        if target.len() <= MAX_TARGET_BYTES {
            if self.entries.is_empty() {
                self.entries.resize_with(ENTRIES, || None);
            }
            if let Some(entry) = self.entries.get_mut(place) {
                *entry = Some(Entry {
                    logger,
                    target: target.into(),
                    scope: scope.clone(),
                });
            }
        }
        scope
    }
}

/// Returns the place of a target. Targets are paths: they differ at their ends, or in their lengths.
#[inline]
fn place_of(target: &str) -> usize {
    let bytes = target.as_bytes();
    let end = bytes.last_chunk::<8>().map_or_else(
        || {
            bytes
                .iter()
                .fold(0, |sum, byte| sum << 8 | u64::from(*byte))
        },
        |end| u64::from_le_bytes(*end),
    );
    let mixed = (end ^ (bytes.len() as u64) << 56).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed >> (64 - ENTRIES.ilog2())) as usize
}

/// Returns `scope` with another name: as the official transform exports a record with a target.
fn with_name(scope: &InstrumentationScope, name: &str) -> Scope {
    let mut builder = InstrumentationScope::builder(name.to_owned());
    if let Some(version) = scope.version() {
        builder = builder.with_version(version.to_owned());
    }
    if let Some(url) = scope.schema_url() {
        builder = builder.with_schema_url(url.to_owned());
    }
    Scope::new(&builder.with_attributes(scope.attributes().cloned()).build())
}

#[cfg(test)]
mod tests {
    use super::*;
    use opentelemetry::KeyValue;
    use std::collections::HashSet;

    #[test]
    fn targets_that_differ_seldom_share_a_place() {
        let places = |targets: &mut dyn Iterator<Item = String>| {
            let places: HashSet<usize> = targets.map(|target| place_of(&target)).collect();
            assert!(places.iter().all(|place| *place < ENTRIES));
            places.len()
        };
        let short = places(&mut ('a'..='z').map(String::from));
        assert!(short > 20, "{short} of 26");
        let ends = places(&mut (0..64).map(|number| format!("service::module_{number:02}")));
        assert!(ends > 40, "{ends} of 64");
        let lengths = places(&mut (8..40).map(|length| "x".repeat(length)));
        assert!(lengths > 20, "{lengths} of 32");
    }

    #[test]
    fn a_target_replaces_the_name_of_its_loggers_scope_alone() {
        let of = |version: &'static str| {
            InstrumentationScope::builder("logger")
                .with_version(version)
                .with_schema_url("https://example.com/schema")
                .with_attributes([KeyValue::new("a", 1)])
                .build()
        };
        let loggers = [OwnerId::unique(), OwnerId::unique()];
        let named = |version, name| {
            let full = InstrumentationScope::builder(name)
                .with_version(version)
                .with_schema_url("https://example.com/schema")
                .with_attributes([KeyValue::new("a", 1)]);
            Scope::new(&full.build())
        };
        for _ in 0..3 {
            for (logger, version) in loggers.into_iter().zip(["1", "2"]) {
                for target in ["", "a", "app::db", "app::web"] {
                    let found = scope_of(logger, &of(version), target);
                    assert_eq!(found, named(version, target));
                }
            }
        }
    }

    #[test]
    fn any_number_of_targets_takes_a_bounded_number_of_places() {
        let scope = InstrumentationScope::builder("logger").build();
        let mut scopes = TargetScopes {
            entries: Vec::new(),
        };
        let logger = OwnerId::unique();
        let long = "x".repeat(MAX_TARGET_BYTES + 1);
        scopes.get(logger, &scope, &long);
        assert!(scopes.entries.is_empty());
        for number in 0..10_000 {
            scopes.get(logger, &scope, &format!("app::module::{number}"));
        }
        assert_eq!(scopes.entries.len(), ENTRIES);
        let used = scopes.entries.iter().flatten().count();
        assert!(used > ENTRIES / 2, "{used}");
    }
}
