use super::changes::Changes;
use std::cell::RefCell;
use zerospan_core::{Footprint, Reset};
use zerospan_trace::layer::AttributeBuffer;

/// The memory in which values are formatted and encoded before the span is locked. Reused from call to call.
///
/// A value that logs or records while it is formatted gets a scratch of its own.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    pub(crate) texts: Texts,
    pub(crate) event: EventScratch,
    pub(crate) changes: Changes,
}

/// Values that are being formatted.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    pub(crate) text: String,
    /// The sources of an error. The first `sources` are in use.
    pub(crate) chain: Vec<String>,
    pub(crate) sources: usize,
    /// Something was formatted, or may have been.
    pub(crate) is_used: bool,
}

/// An event of a span.
#[derive(Debug, Default)]
pub(crate) struct EventScratch {
    pub(crate) name: String,
    pub(crate) attributes: AttributeBuffer,
}

/// The number of bytes that a scratch keeps.
const MAX_IDLE_BYTES: usize = 64 * 1024;

/// The number of scratches that a thread keeps.
const MAX_IDLE: usize = 16;

thread_local! {
    // Taking one moves a pointer, not the hundreds of bytes that it consists of.
    #[allow(clippy::vec_box)]
    static IDLE: RefCell<Vec<Box<Scratch>>> = const { RefCell::new(Vec::new()) };
}

impl Scratch {
    /// Takes an empty scratch of this thread. Allocates if all are in use.
    #[inline]
    pub(crate) fn take() -> Box<Self> {
        let idle = IDLE.try_with(|idle| idle.try_borrow_mut().ok()?.pop());
        idle.ok().flatten().unwrap_or_default()
    }

    /// Returns the parts that an event is written to.
    #[inline]
    pub(crate) fn split(&mut self) -> (&mut Texts, &mut EventScratch, &mut Changes) {
        (&mut self.texts, &mut self.event, &mut self.changes)
    }

    /// Keeps the memory for the next call.
    #[inline]
    pub(crate) fn put(mut self: Box<Self>) {
        self.reset();
        if self.heap_bytes() > MAX_IDLE_BYTES {
            return;
        }
        self.put_unused();
    }

    /// Returns `true` if texts or changes were written.
    #[inline]
    pub(crate) fn has_texts_or_changes(&self) -> bool {
        self.texts.is_used || self.changes.has_status_or_attributes()
    }

    /// Does as [`put`](Self::put), with a scratch to which nothing was written.
    #[inline]
    pub(crate) fn put_unused(self: Box<Self>) {
        let mut scratch = Some(self);
        let _ = IDLE.try_with(|idle| {
            if let Ok(mut idle) = idle.try_borrow_mut()
                && idle.len() < MAX_IDLE
                && let Some(scratch) = scratch.take()
            {
                idle.push(scratch);
            }
        });
    }

    fn heap_bytes(&self) -> usize {
        let chain: usize = self.texts.chain.iter().map(String::capacity).sum();
        self.texts.text.capacity()
            + chain
            + self.event.name.capacity()
            + self.event.attributes.heap_bytes()
            + self.changes.attributes.heap_bytes()
            + self.changes.name.capacity()
            + self.changes.description.capacity()
    }

    #[inline]
    fn reset(&mut self) {
        self.texts.text.clear();
        self.texts.sources = 0;
        self.texts.is_used = false;
        self.event.name.clear();
        self.event.attributes.reset();
        self.changes.reset();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn idle() -> usize {
        IDLE.with_borrow(Vec::len)
    }

    #[test]
    fn a_thread_keeps_a_bounded_number_of_scratches_and_uses_them_again() {
        let mut taken: Vec<_> = (0..MAX_IDLE + 2).map(|_| Scratch::take()).collect();
        assert_eq!(idle(), 0);
        taken[0].texts.text.push_str("of the last call");
        taken[0].texts.sources = 1;
        taken[0].texts.is_used = true;
        taken[0].event.name.push_str("event");
        assert!(taken[0].has_texts_or_changes() && !taken[1].has_texts_or_changes());
        for scratch in taken {
            scratch.put();
        }
        assert_eq!(idle(), MAX_IDLE);
        for left in (0..MAX_IDLE).rev() {
            let scratch = Scratch::take();
            assert_eq!(idle(), left);
            assert!(scratch.texts.text.is_empty() && scratch.event.name.is_empty());
            assert!(scratch.texts.sources == 0 && !scratch.has_texts_or_changes());
        }
        Scratch::take().put_unused();
        assert_eq!(idle(), 1);
    }

    #[test]
    fn the_memory_of_every_part_counts_and_too_much_of_it_is_freed() {
        let fill: [fn(&mut Scratch, usize); 5] = [
            |scratch, bytes| scratch.texts.text.reserve_exact(bytes),
            |scratch, bytes| scratch.texts.chain.push(String::with_capacity(bytes)),
            |scratch, bytes| scratch.event.name.reserve_exact(bytes),
            |scratch, bytes| scratch.changes.description.reserve_exact(bytes),
            |scratch, bytes| {
                scratch.changes.name = String::with_capacity(bytes);
            },
        ];
        for fill in fill {
            let mut scratch = Box::<Scratch>::default();
            assert_eq!(scratch.heap_bytes(), 0);
            fill(&mut scratch, 100);
            assert_eq!(scratch.heap_bytes(), 100);
            for (bytes, kept) in [(MAX_IDLE_BYTES, 1), (MAX_IDLE_BYTES + 1, 0)] {
                IDLE.take();
                let mut scratch = Box::<Scratch>::default();
                fill(&mut scratch, bytes);
                scratch.put();
                assert_eq!(idle(), kept, "{bytes}");
            }
        }
        let mut all = Scratch::default();
        fill.iter().for_each(|fill| fill(&mut all, 100));
        assert_eq!(all.heap_bytes(), 500);
    }
}
