use super::parent::ParentContext;
use opentelemetry::trace::SpanId;
use std::cell::{Cell, RefCell};

/// The stack of spans that are entered natively on one thread.
pub(crate) struct ActiveSpans {
    entries: RefCell<Vec<Entry>>,
    /// The owner whose entries are looked at, besides those of guards. 0 is all.
    owner: Cell<u64>,
}

/// Names an entry, for an owner that exits spans by their ids instead of a guard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntryKey {
    /// The owner. 0 is a guard.
    pub owner: u64,
    /// The owner's id of the span.
    pub id: u64,
}

impl EntryKey {
    /// The key of all entries that a guard exits.
    pub(crate) const GUARD: Self = Self { owner: 0, id: 0 };
}

/// A span that was exited.
#[derive(Clone, Copy, Debug)]
pub struct Exited {
    /// The span was recorded.
    pub is_recorded: bool,
    /// Its context was used meanwhile, as a parent or by a reader.
    pub is_used: bool,
}

/// The number of entries on one thread: leaked guards must not fill the memory.
const MAX_ENTRIES: usize = 1 << 16;

struct Entry {
    span: ParentContext,
    key: EntryKey,
    /// The span is recorded.
    is_recorded: bool,
    /// The span became the parent of another one, or its context was read.
    is_used: Cell<bool>,
    /// The span of the API's current context at the time when this one was entered.
    api_span_id: SpanId,
    /// The guard was dropped while later entries were active.
    is_exited: bool,
}

impl ActiveSpans {
    pub(crate) const fn new() -> Self {
        Self {
            entries: RefCell::new(Vec::new()),
            owner: Cell::new(0),
        }
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.borrow().is_empty()
    }

    /// Calls `read` with the active span. There is none if the API's current context, whose span is `api_span_id`, was
    /// attached after the last span was entered. If it has no span, the last span is active: then the context in which that was
    /// entered has been detached.
    #[inline]
    pub(crate) fn with_active<O>(
        &self,
        api_span_id: SpanId,
        read: impl FnOnce(Option<&ParentContext>) -> O,
    ) -> O {
        let entries = self.entries.borrow();
        let last = match self.owner.get() {
            0 => entries.last(),
            owner => entries.iter().rev().find(|entry| {
                let owners = [EntryKey::GUARD.owner, owner];
                !entry.is_exited && owners.contains(&entry.key.owner)
            }),
        };
        let is_active =
            |entry: &&Entry| api_span_id == SpanId::INVALID || entry.api_span_id == api_span_id;
        let last = last.filter(is_active);
        if let Some(entry) = last {
            entry.is_used.set(true);
        }
        read(last.map(|entry| &entry.span))
    }

    /// Returns a copy of the active span, as [`with_active`](Self::with_active) finds it. Allocates for a trace state.
    #[inline]
    pub(crate) fn active(&self, api_span_id: SpanId) -> Option<ParentContext> {
        self.with_active(api_span_id, |span| {
            let span: &ParentContext = span?;
            Some(span.clone())
        })
    }

    /// Enters a span. Returns its position, for [`exit`](Self::exit), which has no effect if there are too many entries.
    pub(crate) fn enter(&self, span: ParentContext, api_span_id: SpanId) -> usize {
        self.enter_as(EntryKey::GUARD, span, api_span_id, true)
            .unwrap_or(usize::MAX)
    }

    /// Enters a span under a key. Returns its position, or `None` if there are too many entries.
    #[inline]
    pub(crate) fn enter_as(
        &self,
        key: EntryKey,
        span: ParentContext,
        api_span_id: SpanId,
        is_recorded: bool,
    ) -> Option<usize> {
        let mut entries = self.entries.borrow_mut();
        let position = entries.len();
        if position >= MAX_ENTRIES {
            return None;
        }
        entries.push(Entry {
            span,
            key,
            is_recorded,
            is_used: Cell::new(false),
            api_span_id,
            is_exited: false,
        });
        Some(position)
    }

    /// Exits the span at `position`. Its entry stays on the stack until those above it are exited.
    pub(crate) fn exit(&self, position: usize) {
        let mut entries = self.entries.borrow_mut();
        if let Some(entry) = entries.get_mut(position) {
            entry.is_exited = true;
        }
        pop_exited(&mut entries);
    }

    /// Exits the span that was entered last under `key`. Returns `None` if there is none.
    #[inline]
    pub(crate) fn exit_as(&self, key: EntryKey) -> Option<Exited> {
        let mut entries = self.entries.borrow_mut();
        let position = last_of(&entries, key)?;
        let entry = entries.get_mut(position)?;
        entry.is_exited = true;
        let exited = Exited {
            is_recorded: entry.is_recorded,
            is_used: entry.is_used.get(),
        };
        pop_exited(&mut entries);
        Some(exited)
    }

    /// Exits every entry under `key`: of guards that were leaked.
    #[inline]
    pub(crate) fn exit_all(&self, key: EntryKey) {
        if !self.is_empty() {
            while self.exit_as(key).is_some() {}
        }
    }

    /// Calls `work`, for which the entries of other owners do not exist.
    pub(crate) fn with_owner<O>(&self, owner: u64, work: impl FnOnce() -> O) -> O {
        struct Restore<'a>(&'a Cell<u64>, u64);
        impl Drop for Restore<'_> {
            fn drop(&mut self) {
                self.0.set(self.1);
            }
        }
        let _restore = Restore(&self.owner, self.owner.replace(owner));
        work()
    }

    /// Exits the entries of `owner` whose ids `is_open` does not know.
    pub(crate) fn retain(&self, owner: u64, is_open: impl Fn(u64) -> bool) {
        let mut entries = self.entries.borrow_mut();
        for entry in entries.iter_mut() {
            if entry.key.owner == owner && !is_open(entry.key.id) {
                entry.is_exited = true;
            }
        }
        pop_exited(&mut entries);
    }

    /// Returns the id of the last entry of `owner`, and whether its span is recorded.
    #[inline]
    pub(crate) fn last_of_owner(&self, owner: u64) -> Option<(u64, bool)> {
        let entries = self.entries.borrow();
        let is_match = |entry: &&Entry| entry.key.owner == owner && !entry.is_exited;
        let entry = entries.iter().rev().find(is_match)?;
        Some((entry.key.id, entry.is_recorded))
    }

    /// Replaces the context of the entries under `key`. Returns their number, or `None`, and changes nothing, if the context of
    /// one of them was used.
    pub(crate) fn replace(
        &self,
        key: EntryKey,
        span: &ParentContext,
        is_recorded: bool,
    ) -> Option<usize> {
        let mut entries = self.entries.borrow_mut();
        let is_match = |entry: &Entry| entry.key == key && !entry.is_exited;
        if entries
            .iter()
            .any(|entry| is_match(entry) && entry.is_used.get())
        {
            return None;
        }
        let mut count = 0;
        for entry in entries.iter_mut().filter(|entry| is_match(entry)) {
            entry.span = span.clone();
            entry.is_recorded = is_recorded;
            count += 1;
        }
        Some(count)
    }

    /// Returns the number of entries under `key`, or `None` if the context of one of them was used.
    pub(crate) fn count_unused(&self, key: EntryKey) -> Option<usize> {
        let entries = self.entries.borrow();
        let mut matching = entries
            .iter()
            .filter(|entry| entry.key == key && !entry.is_exited);
        matching.try_fold(0, |count, entry| {
            (!entry.is_used.get()).then_some(count + 1)
        })
    }
}

#[inline]
fn last_of(entries: &[Entry], key: EntryKey) -> Option<usize> {
    entries
        .iter()
        .rposition(|entry| entry.key == key && !entry.is_exited)
}

#[inline]
fn pop_exited(entries: &mut Vec<Entry>) {
    while entries.last().is_some_and(|entry| entry.is_exited) {
        entries.pop();
    }
}

#[cfg(test)]
mod tests;
