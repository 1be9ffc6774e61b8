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
    /// Of the heap, when the scratch was last kept.
    kept_bytes: usize,
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

/// The number of bytes that a thread's idle scratches keep together, their own size included.
const MAX_IDLE_BYTES: usize = 64 * 1024;

/// The idle scratches of a thread.
#[derive(Debug, Default)]
struct Idle {
    // Taking one moves a pointer, not the hundreds of bytes that it consists of.
    #[allow(clippy::vec_box)]
    scratches: Vec<Box<Scratch>>,
    bytes: usize,
}

thread_local! {
    static IDLE: RefCell<Idle> = const { RefCell::new(Idle { scratches: Vec::new(), bytes: 0 }) };
}

impl Idle {
    #[inline]
    fn pop(&mut self) -> Option<Box<Scratch>> {
        let scratch = self.scratches.pop()?;
        self.bytes -= scratch.idle_bytes();
        Some(scratch)
    }

    /// Returns `false` if there is no room for another scratch with `bytes`.
    #[inline]
    fn reserve(&mut self, bytes: usize) -> bool {
        let bytes = self.bytes + bytes;
        let fits = bytes <= MAX_IDLE_BYTES;
        if fits {
            self.bytes = bytes;
        }
        fits
    }
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

    /// Keeps the memory for the next call, unless the thread's idle scratches have enough.
    #[inline]
    pub(crate) fn put(mut self: Box<Self>) {
        self.reset();
        self.kept_bytes = self.heap_bytes();
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
                && idle.reserve(scratch.as_ref().map_or(0, |scratch| scratch.idle_bytes()))
            {
                idle.scratches.extend(scratch.take());
            }
        });
    }

    #[inline]
    fn idle_bytes(&self) -> usize {
        size_of::<Self>() + self.kept_bytes
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
        IDLE.with_borrow(|idle| idle.scratches.len())
    }

    #[test]
    fn a_threads_idle_scratches_take_bounded_memory_and_are_used_again() {
        let max = MAX_IDLE_BYTES / size_of::<Scratch>();
        let mut taken: Vec<_> = (0..max + 2).map(|_| Scratch::take()).collect();
        assert_eq!(idle(), 0);
        taken[0].texts.sources = 1;
        taken[0].texts.is_used = true;
        assert!(taken[0].has_texts_or_changes() && !taken[1].has_texts_or_changes());
        for scratch in taken {
            scratch.put();
        }
        assert_eq!(idle(), max);
        for left in (0..max).rev() {
            let scratch = Scratch::take();
            assert_eq!(idle(), left);
            assert!(scratch.texts.sources == 0 && !scratch.has_texts_or_changes());
        }
        assert_eq!(IDLE.with_borrow(|idle| idle.bytes), 0);
        let mut scratch = Scratch::take();
        scratch.texts.text.push_str("of the last call");
        scratch.event.name.push_str("event");
        scratch.put();
        let scratch = Scratch::take();
        assert!(scratch.texts.text.is_empty() && scratch.texts.text.capacity() > 0);
        assert!(scratch.event.name.is_empty());
        scratch.put_unused();
        assert_eq!(idle(), 1);
    }

    #[test]
    fn scratches_in_use_at_once_leave_no_more_memory_than_one() {
        let with_text = |bytes| {
            let mut scratch = Box::<Scratch>::default();
            scratch.texts.text.reserve_exact(bytes);
            scratch
        };
        for scratch in (0..16).map(|_| with_text(MAX_IDLE_BYTES / 3)) {
            scratch.put();
        }
        assert_eq!(idle(), 2);
        // One that is kept unchanged counts as before.
        Scratch::take().put_unused();
        with_text(MAX_IDLE_BYTES / 3).put();
        assert_eq!(idle(), 2);
        // What is freed makes room.
        drop(Scratch::take());
        with_text(MAX_IDLE_BYTES / 2).put();
        assert_eq!(idle(), 2);
    }

    #[test]
    fn the_memory_of_every_part_counts_and_too_much_of_it_is_freed() {
        const ROOM: usize = MAX_IDLE_BYTES - size_of::<Scratch>();
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
            for (bytes, kept) in [(ROOM, 1), (ROOM + 1, 0)] {
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
