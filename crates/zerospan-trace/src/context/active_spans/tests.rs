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
