//! The slots of this thread, one for each pipeline that it records into.

use crate::core::Core;
use crate::slot::Slot;
use crate::{DropCause, Scope};
use std::cell::{Cell, RefCell};
use std::sync::{Arc, Weak};

thread_local! {
    static LOCAL: Local = const {
        Local {
            entries: RefCell::new(Vec::new()),
            recording: Cell::new(false),
        }
    };
}

struct Local {
    entries: RefCell<Vec<Entry>>,
    /// Whether this thread is inside an encoder, with its slot's lock held.
    recording: Cell<bool>,
}

struct Entry {
    id: u64,
    slot: Arc<Slot>,
    core: Weak<Core>,
}

/// The thread ends, or the pipeline is gone.
impl Drop for Entry {
    fn drop(&mut self) {
        // In a forked child the slot is a copy of what the parent's thread holds, and its spans are the parent's.
        if let Some(core) = self.core.upgrade()
            && core.is_of_this_process()
        {
            core.deregister(&self.slot);
        }
    }
}

struct Recording<'a>(&'a Cell<bool>);

impl Drop for Recording<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

/// Records one span through this thread's slot.
#[inline]
pub(crate) fn record(
    core: &Arc<Core>,
    scope: &Scope,
    encode: impl FnOnce(&mut Vec<u8>),
) -> Result<(), DropCause> {
    let mut encode = Some(encode);
    let recorded = LOCAL.try_with(|local| {
        let entries = local.entries.try_borrow().ok()?;
        let entry = entries.iter().find(|entry| entry.id == core.id)?;
        if local.recording.replace(true) {
            return None;
        }
        let _recording = Recording(&local.recording);
        let encode = encode.take()?;
        Some(record_in(&entry.slot, core, scope, encode))
    });
    if let Ok(Some(outcome)) = recorded {
        return outcome;
    }
    match encode {
        Some(encode) => record_first(core, scope, encode),
        None => Err(DropCause::Malformed),
    }
}

#[inline]
fn record_in(
    slot: &Slot,
    core: &Arc<Core>,
    scope: &Scope,
    encode: impl FnOnce(&mut Vec<u8>),
) -> Result<(), DropCause> {
    slot.record(core, |chunk, dropped| {
        chunk.append(scope, core.limits.span_bytes, dropped, encode)
    })
}

/// The first span of this thread in this pipeline; or one that is recorded while another is, or while the thread ends.
#[cold]
fn record_first(
    core: &Arc<Core>,
    scope: &Scope,
    encode: impl FnOnce(&mut Vec<u8>),
) -> Result<(), DropCause> {
    let entered = LOCAL.try_with(|local| {
        let mut entries = local.entries.try_borrow_mut().ok()?;
        if local.recording.get() || entries.iter().any(|entry| entry.id == core.id) {
            return None;
        }
        // What is left of pipelines that are gone goes, once the borrow is over.
        let gone: Vec<Entry> = entries
            .extract_if(.., |entry| entry.core.strong_count() == 0)
            .collect();
        entries.push(Entry {
            id: core.id,
            slot: core.register(),
            core: Arc::downgrade(core),
        });
        Some(gone)
    });
    if let Ok(Some(_)) = entered {
        return record(core, scope, encode);
    }
    let slot = Slot::default();
    let outcome = record_in(&slot, core, scope, encode);
    core.retire(&slot);
    outcome
}

/// Panics inside an encoder, where waiting for this thread's slot would never end.
pub(crate) fn assert_not_recording(what: &str) {
    let recording = LOCAL
        .try_with(|local| local.recording.get())
        .unwrap_or(false);
    assert!(
        !recording,
        "{what} was called by the closure that encodes a span: call it outside"
    );
}
