//! Slots: the reusable memory of spans that are recorded.

mod pool;
mod settle;
mod tracer_inner;

pub(crate) use pool::{SlotLimits, SlotPool, SlotRecycle};
pub(crate) use tracer_inner::TracerInner;

use crate::base::clock::Reading;
use opentelemetry::trace::Status;
use std::borrow::Cow;
use std::mem;
use std::sync::Arc;
use zerospan_core::{Footprint, Reset};
use zerospan_otlp::SpanRecorder;
use zerospan_pool::Excess;

/// The data of a recorded span, without its context. Reused from span to span.
#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) recorder: SpanRecorder,
    pub(crate) status: Status,
    pub(crate) start: Reading,
    /// The fork generation of the process in which the span started.
    pub(crate) generation: u64,
    /// The caller set the start time: the end time is then the clock's, not the start plus the elapsed time.
    pub(crate) start_is_given: bool,
    /// The span goes to the exporters.
    pub(crate) is_exported: bool,
    /// The processors are being called for the span's end.
    pub(crate) is_ending: bool,
    /// The tracer that started the span. Stays from use to use, so that the next span of the same tracer updates no
    /// reference count.
    pub(crate) tracer: Option<Arc<TracerInner>>,
    /// Memory for formatted text.
    spare_texts: [String; 2],
    /// The heap memory that the slot retains, as of the last [`settle`](Self::settle).
    retained: usize,
    /// The capacity of the recorder's buffer of attributes, as of the last [`settle`](Self::settle).
    plain_capacity: usize,
    /// A spare text was taken or kept, or a status was set, since the last [`settle`](Self::settle).
    has_new_text: bool,
    /// The charge for what is retained beyond [`SMALL_BYTES`].
    excess: Excess,
}

/// The heap memory that any slot may retain, in bytes. The memory beyond is charged to the pool.
pub(crate) const SMALL_BYTES: usize = 16 << 10;

/// No buffer has this capacity.
const UNKNOWN: usize = usize::MAX;

impl Slot {
    fn new(recorder: SpanRecorder) -> Self {
        Self {
            retained: recorder.heap_bytes(),
            plain_capacity: UNKNOWN,
            has_new_text: false,
            recorder,
            status: Status::Unset,
            start: Reading::default(),
            generation: 0,
            start_is_given: false,
            is_exported: false,
            is_ending: false,
            tracer: None,
            spare_texts: [String::new(), String::new()],
            excess: Excess::default(),
        }
    }

    /// Formats `text` into memory of this slot. Allocates only if that has to grow.
    pub(crate) fn format(&mut self, text: std::fmt::Arguments<'_>) -> Cow<'static, str> {
        if let Some(text) = text.as_str() {
            return Cow::Borrowed(text);
        }
        let mut into = self.take_spare();
        // Writing to a string does not fail; a `Display` that fails leaves what it wrote so far.
        let _ = std::fmt::Write::write_fmt(&mut into, text);
        Cow::Owned(into)
    }

    /// Returns an empty string, of the larger spare capacity.
    fn take_spare(&mut self) -> String {
        self.has_new_text = true;
        let [first, second] = &mut self.spare_texts;
        mem::take(if first.capacity() >= second.capacity() {
            first
        } else {
            second
        })
    }

    /// Keeps the memory of a string that is no longer needed.
    pub(crate) fn keep_spare(&mut self, text: Cow<'static, str>) {
        if let Cow::Owned(mut text) = text {
            self.has_new_text = true;
            text.clear();
            let [first, second] = &mut self.spare_texts;
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

    /// Sets the status by the specification's rules: `Ok` is final, `Unset` overrides nothing, otherwise the last call wins.
    pub(crate) fn set_status(&mut self, status: Status) {
        if self.status == Status::Ok || status == Status::Unset {
            return;
        }
        self.has_new_text = true;
        if let Status::Error { description } = mem::replace(&mut self.status, status) {
            self.keep_spare(description);
        }
    }
}

impl Reset for Slot {
    #[inline(always)]
    fn reset(&mut self) {
        self.recorder.reset();
        if self.status != Status::Unset
            && let Status::Error { description } = mem::take(&mut self.status)
        {
            self.keep_spare(description);
        }
        // The start of the next span writes the other fields.
        self.start_is_given = false;
        self.is_ending = false;
    }
}

impl Footprint for Slot {
    #[inline(always)]
    fn heap_bytes(&self) -> usize {
        let spare: usize = self.spare_texts.iter().map(Footprint::heap_bytes).sum();
        let status = match &self.status {
            Status::Error {
                description: Cow::Owned(text),
            } => text.capacity(),
            _ => 0,
        };
        self.recorder.heap_bytes() + spare + status
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use opentelemetry::trace::SpanContext;

    fn slot() -> Slot {
        Slot::new(SpanRecorder::default())
    }

    #[test]
    fn the_memory_of_the_two_largest_texts_is_kept_and_used_again() {
        let mut slot = slot();
        let empty = slot.heap_bytes();
        for capacity in [100, 10, 300, 200, 50] {
            slot.keep_spare(Cow::Owned(String::with_capacity(capacity)));
        }
        slot.keep_spare(Cow::Borrowed("constant"));
        assert_eq!(slot.heap_bytes(), empty + 500);
        for capacity in [300, 200, 0] {
            let text = slot.format(format_args!("{}", 'x'));
            let Cow::Owned(text) = text else {
                panic!("it was formatted")
            };
            assert_eq!(text, "x");
            assert!(text.capacity() >= capacity);
        }
        assert_eq!(slot.heap_bytes(), empty);
        assert!(matches!(
            slot.format(format_args!("constant")),
            Cow::Borrowed("constant")
        ));
    }

    #[test]
    fn the_memory_that_a_slot_retains_is_known_after_every_span() {
        use zerospan_core::{Attribute, AttributeSink};
        use zerospan_otlp::SpanLimits;
        let limits = SlotLimits::default();
        let recycle = SlotRecycle {
            limits: SpanLimits::default(),
        };
        let pool = recycle.pool(limits);
        let mut slot = slot();
        let many = |slot: &mut Slot| {
            for number in 0..40 {
                slot.recorder
                    .set_attribute(Attribute::new(&format!("key{number}"), number));
            }
        };
        let large = "v".repeat(5000);
        let uses: [&dyn Fn(&mut Slot); 10] = [
            &|_| (),
            &|slot| {
                slot.recorder.set_attribute(Attribute::new("key", 1));
            },
            &|slot| {
                slot.recorder.set_attribute(Attribute::new("key", &*large));
            },
            &|slot| {
                slot.recorder.add_event("event", 1, &[("key", &*large)]);
            },
            &|slot| {
                slot.recorder.add_link(&SpanContext::NONE, &[("key", 1)]);
            },
            &many,
            &|slot| slot.recorder.reserve_attributes(30),
            &|slot| {
                let text = slot.format(format_args!("{large}{}", 1));
                slot.keep_spare(text);
            },
            &|slot| {
                let description = slot.format(format_args!("failed {}", 1));
                slot.set_status(Status::Error { description });
            },
            &|slot| slot.set_status(Status::error("e".repeat(100))),
        ];
        // Each use after each other one, twice.
        for first in &uses {
            for second in &uses {
                for used in [first, second, second, &uses[1], &uses[1]] {
                    used(&mut slot);
                    let expected = slot.heap_bytes();
                    slot.settle(limits, &pool);
                    assert_eq!(slot.retained, expected);
                    slot.reset();
                }
            }
            slot = self::slot();
        }
    }

    #[test]
    fn a_status_follows_the_rules_of_the_specification() {
        let mut slot = slot();
        let error = || Status::error("failed".to_owned());
        for (set, is) in [
            (Status::Unset, Status::Unset),
            (error(), error()),
            (Status::Unset, error()),
            (Status::error("last"), Status::error("last")),
            (Status::Ok, Status::Ok),
            (error(), Status::Ok),
        ] {
            slot.set_status(set);
            assert_eq!(slot.status, is);
        }
        slot.reset();
        slot.set_status(error());
        slot.start_is_given = true;
        slot.is_ending = true;
        slot.reset();
        assert_eq!(slot.status, Status::Unset);
        assert!(!slot.start_is_given && !slot.is_ending);
        assert!(
            slot.spare_texts
                .iter()
                .any(|text| text.capacity() >= "failed".len())
        );
    }
}
