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
mod tests {
    use super::*;
    use crate::context::parent::ParentIds;

    fn span(id: u64) -> ParentContext {
        ParentContext {
            ids: ParentIds {
                span_id: SpanId::from(id),
                ..ParentIds::NONE
            },
            trace_state: None,
        }
    }

    const NO_SPAN: SpanId = SpanId::INVALID;

    /// Returns the id of the active span, without a use of its context.
    fn active(spans: &ActiveSpans, api_span_id: SpanId) -> Option<u64> {
        let used: Vec<bool> = spans
            .entries
            .borrow()
            .iter()
            .map(|entry| entry.is_used.get())
            .collect();
        let active = spans.active(api_span_id);
        for (entry, used) in spans.entries.borrow().iter().zip(used) {
            entry.is_used.set(used);
        }
        active.map(|span| u64::from_be_bytes(span.ids.span_id.to_bytes()))
    }

    fn key(owner: u64, id: u64) -> EntryKey {
        EntryKey { owner, id }
    }

    #[test]
    fn the_last_span_that_was_entered_is_active_until_it_is_exited() {
        let spans = ActiveSpans::new();
        assert!(spans.is_empty());
        assert_eq!(active(&spans, NO_SPAN), None);
        let positions = [1, 2, 3].map(|id| spans.enter(span(id), NO_SPAN));
        assert_eq!(positions, [0, 1, 2]);
        assert_eq!(active(&spans, NO_SPAN), Some(3));
        // Out of order: the entry stays, and the one above it stays active.
        spans.exit(1);
        assert_eq!(active(&spans, NO_SPAN), Some(3));
        assert!(!spans.is_empty());
        spans.exit(2);
        assert_eq!(active(&spans, NO_SPAN), Some(1));
        spans.exit(usize::MAX);
        assert_eq!(active(&spans, NO_SPAN), Some(1));
        spans.exit(0);
        assert!(spans.is_empty());
    }

    #[test]
    fn a_context_of_the_api_that_was_attached_later_hides_the_span() {
        let spans = ActiveSpans::new();
        spans.enter(span(1), SpanId::from(7));
        assert_eq!(active(&spans, SpanId::from(7)), Some(1));
        assert_eq!(active(&spans, SpanId::from(8)), None);
        assert_eq!(
            active(&spans, NO_SPAN),
            Some(1),
            "that context was detached"
        );
    }

    #[test]
    fn spans_are_exited_by_their_keys_the_last_first() {
        let spans = ActiveSpans::new();
        for (entry, id) in [
            (key(1, 10), 1),
            (key(2, 10), 2),
            (key(1, 10), 3),
            (key(1, 11), 4),
        ] {
            let position = spans.enter_as(entry, span(id), NO_SPAN, id != 3);
            assert_eq!(position, Some(id as usize - 1));
        }
        assert_eq!(spans.last_of_owner(1), Some((11, true)));
        assert_eq!(spans.last_of_owner(2), Some((10, true)));
        assert_eq!(spans.last_of_owner(3), None);
        // Of two entries under a key, the later one is exited, although another is above it.
        let exited = spans.exit_as(key(1, 10)).expect("it is entered");
        assert!(!exited.is_recorded && !exited.is_used);
        assert_eq!(active(&spans, NO_SPAN), Some(4));
        assert!(
            spans
                .exit_as(key(1, 11))
                .is_some_and(|exited| exited.is_recorded)
        );
        assert_eq!(active(&spans, NO_SPAN), Some(2));
        assert_eq!(spans.last_of_owner(1), Some((10, true)));
        assert!(
            spans.exit_as(key(1, 11)).is_none(),
            "an entry is exited once"
        );
        spans.active(NO_SPAN);
        assert!(
            spans
                .exit_as(key(2, 10))
                .is_some_and(|exited| exited.is_used)
        );
        spans.enter_as(key(1, 10), span(5), NO_SPAN, true);
        spans.exit_all(key(1, 10));
        assert!(spans.is_empty());
    }

    #[test]
    fn an_owner_sees_its_own_entries_and_those_of_guards() {
        let spans = ActiveSpans::new();
        spans.enter(span(1), NO_SPAN);
        spans.enter_as(key(1, 10), span(2), NO_SPAN, true);
        spans.enter_as(key(2, 10), span(3), NO_SPAN, true);
        let seen_by = |owner| spans.with_owner(owner, || active(&spans, NO_SPAN));
        assert_eq!(
            [0, 1, 2, 3].map(seen_by),
            [Some(3), Some(2), Some(3), Some(1)]
        );
        assert_eq!(active(&spans, NO_SPAN), Some(3), "for that call alone");
        // An entry that was exited is not seen, also below another.
        spans.exit_as(key(1, 10));
        assert_eq!(seen_by(1), Some(1));
    }

    #[test]
    fn entries_of_spans_that_are_not_open_are_exited() {
        let spans = ActiveSpans::new();
        for (entry, id) in [(key(1, 10), 1), (key(2, 11), 2), (key(1, 11), 3)] {
            spans.enter_as(entry, span(id), NO_SPAN, true);
        }
        spans.retain(1, |id| id == 10);
        assert_eq!(active(&spans, NO_SPAN), Some(2), "of another owner");
        assert_eq!(spans.last_of_owner(1), Some((10, true)));
        spans.retain(2, |_| false);
        assert_eq!(active(&spans, NO_SPAN), Some(1));
    }

    #[test]
    fn a_context_is_replaced_unless_it_was_used() {
        let spans = ActiveSpans::new();
        let own = key(1, 10);
        assert_eq!(spans.count_unused(own), Some(0));
        assert_eq!(spans.replace(own, &span(9), true), Some(0));
        spans.enter_as(own, span(1), NO_SPAN, true);
        spans.enter_as(key(1, 11), span(2), NO_SPAN, true);
        spans.enter_as(own, span(1), NO_SPAN, true);
        assert_eq!(spans.count_unused(own), Some(2));
        assert_eq!(spans.replace(own, &span(9), false), Some(2));
        assert_eq!(active(&spans, NO_SPAN), Some(9));
        assert_eq!(spans.last_of_owner(1), Some((10, false)));
        // The one on top is exited, the one below it used.
        spans.exit_as(own);
        assert_eq!(spans.count_unused(own), Some(1));
        spans.exit_as(key(1, 11));
        spans.active(NO_SPAN);
        assert_eq!(spans.count_unused(own), None);
        assert_eq!(spans.replace(own, &span(1), true), None);
        assert_eq!(active(&spans, NO_SPAN), Some(9));
    }

    #[test]
    fn leaked_guards_take_a_bounded_number_of_entries() {
        let spans = ActiveSpans::new();
        for _ in 0..MAX_ENTRIES {
            assert!(spans.enter(span(1), NO_SPAN) < MAX_ENTRIES);
        }
        assert_eq!(spans.enter(span(2), NO_SPAN), usize::MAX);
        assert_eq!(spans.enter_as(key(1, 1), span(2), NO_SPAN, true), None);
        spans.exit(usize::MAX);
        assert_eq!(spans.entries.borrow().len(), MAX_ENTRIES);
        assert_eq!(active(&spans, NO_SPAN), Some(1));
    }
}
