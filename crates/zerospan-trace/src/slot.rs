use crate::clock::Reading;
use crate::tracer::Parts;
use opentelemetry::trace::Status;
use std::borrow::Cow;
use std::mem;
use std::sync::Arc;
use zerospan_core::{Footprint, Recycle, Reset};
use zerospan_otlp::{SpanLimits, SpanRecorder};
use zerospan_pool::{ThreadCachedPool, thread_cache};

thread_cache! {
    /// Where each thread keeps the slots of spans that ended.
    pub(crate) struct SlotThreads for Box<Slot>;
}

pub(crate) type Slots = ThreadCachedPool<Box<Slot>, SlotRecycle, SlotThreads>;

/// What a recording span holds beside its context: reused from span to span.
#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) recorder: SpanRecorder,
    pub(crate) status: Status,
    pub(crate) start: Reading,
    /// The process in which the span began: its number of forks.
    pub(crate) generation: u64,
    /// Whether the caller said when the span started: the end is then what the clock says.
    pub(crate) start_is_given: bool,
    /// Whether the span goes to the exporters.
    pub(crate) is_exported: bool,
    /// Whether the processors are being told that the span ends.
    pub(crate) is_ending: bool,
    /// The tracer's part. It stays from use to use: a span of the same tracer counts no reference.
    pub(crate) parts: Option<Arc<Parts>>,
    /// Memory for text that is formatted.
    spare: [String; 2],
}

impl Slot {
    /// Formats `text` into memory of this slot; allocates only where it has to grow.
    pub(crate) fn format(&mut self, text: std::fmt::Arguments<'_>) -> Cow<'static, str> {
        if let Some(text) = text.as_str() {
            return Cow::Borrowed(text);
        }
        let mut into = self.take_spare();
        // Writing to a string does not fail; a `Display` that fails leaves what it wrote so far.
        let _ = std::fmt::Write::write_fmt(&mut into, text);
        Cow::Owned(into)
    }

    /// An empty string.
    fn take_spare(&mut self) -> String {
        let [first, second] = &mut self.spare;
        mem::take(if first.capacity() >= second.capacity() {
            first
        } else {
            second
        })
    }

    /// Keeps the memory of a string that is not needed any more.
    pub(crate) fn keep_spare(&mut self, text: Cow<'static, str>) {
        if let Cow::Owned(mut text) = text {
            text.clear();
            let [first, second] = &mut self.spare;
            let smaller = if first.capacity() <= second.capacity() {
                first
            } else {
                second
            };
            if smaller.capacity() < text.capacity() {
                *smaller = text;
            }
        }
    }

    /// The specification's rules: `Ok` is final, `Unset` overrides nothing, otherwise the last call wins.
    pub(crate) fn set_status(&mut self, status: Status) {
        if self.status == Status::Ok || status == Status::Unset {
            return;
        }
        if let Status::Error { description } = mem::replace(&mut self.status, status) {
            self.keep_spare(description);
        }
    }
}

impl Reset for Slot {
    #[inline]
    fn reset(&mut self) {
        self.recorder.reset();
        if self.status != Status::Unset
            && let Status::Error { description } = mem::take(&mut self.status)
        {
            self.keep_spare(description);
        }
        // What is left is written when the next span begins.
        self.start_is_given = false;
        self.is_ending = false;
    }
}

impl Footprint for Slot {
    #[inline]
    fn heap_bytes(&self) -> usize {
        let spare: usize = self.spare.iter().map(Footprint::heap_bytes).sum();
        self.recorder.heap_bytes() + spare
    }
}

/// How slots of one provider are made.
#[derive(Debug)]
pub(crate) struct SlotRecycle {
    pub(crate) limits: SpanLimits,
}

/// What a span of a dozen attributes takes, so that the first spans of a slot seldom grow it.
const SPAN_BYTES: usize = 1152;

impl Recycle<Box<Slot>> for SlotRecycle {
    fn create(&self) -> Box<Slot> {
        Box::new(Slot {
            recorder: SpanRecorder::with_capacity(self.limits, SPAN_BYTES, 0),
            status: Status::Unset,
            start: Reading::default(),
            generation: 0,
            start_is_given: false,
            is_exported: false,
            is_ending: false,
            parts: None,
            spare: [String::new(), String::new()],
        })
    }

    #[inline]
    fn reset(&self, slot: &mut Box<Slot>) {
        slot.as_mut().reset();
    }

    #[inline]
    fn heap_bytes(&self, slot: &Box<Slot>) -> usize {
        Footprint::heap_bytes(&**slot)
    }
}
