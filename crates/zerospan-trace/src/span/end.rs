//! How a span ends.

use super::Span;
use crate::core::{Core, Stage, contain};
use crate::local::{self, Attached, Local, Seat};
use crate::processor::FinishedSpan;
use crate::slot::Slot;
use std::sync::Arc;
use std::time::SystemTime;
use zerospan_export::Producer;
use zerospan_otlp::unix_nanos;

/// Ends `span`, whose slot was taken out of it.
#[inline]
pub(super) fn end(span: &mut Span, slot: Box<Slot>, time: Option<SystemTime>) {
    let mut slot = Some(slot);
    if time.is_none() && local::if_there(|local| end_plainly(local, &mut slot)) {
        return;
    }
    if let Some(slot) = slot {
        end_anyhow(span, slot, time);
    }
}

/// The usual way: the span ends now, began in this process, and only exporters are told. `false` where it is not so, and then
/// nothing is done.
fn end_plainly(local: &Local, place: &mut Option<Box<Slot>>) -> bool {
    let began_with = |slot: &Slot| Some((slot.parts.as_ref()?.core, slot.generation));
    let Some((id, generation)) = place.as_deref().and_then(began_with) else {
        return false;
    };
    let Some(seat) = local.seat_taken(id) else {
        return false;
    };
    if generation != seat.generation() {
        return false;
    }
    let ended = seat.with(|Attached { core, producers }| {
        if core.has_processors {
            return false;
        }
        let Some(slot) = place.take() else {
            return false;
        };
        let end = core.now_of(&slot, seat);
        seat.counts.ended(slot.is_exported);
        if slot.is_exported {
            export(producers, &slot, end);
        }
        core.put_away(seat, slot);
        true
    });
    ended == Some(true)
}

#[inline(never)]
fn end_anyhow(span: &mut Span, slot: Box<Slot>, time: Option<SystemTime>) {
    let mut slot = Some(slot);
    local::with(|local| {
        if let Some(slot) = slot.take() {
            end_on(local, span, slot, time);
        }
    });
}

fn end_on(local: &Local, span: &mut Span, slot: Box<Slot>, time: Option<SystemTime>) {
    // Without a provider there is nobody left to tell, and nobody who could ask what became of the span.
    let Some(parts) = &slot.parts else { return };
    let Some(seat) = local.seat_of(parts.core) else {
        return;
    };
    let counts = seat.counts();
    if slot.generation != seat.generation() {
        // The parent of the fork has this span too, and exports it when it ends there.
        counts.inherited.raise();
        seat.with(|to| seat.put_slot(&to.core, slot));
        return;
    }
    counts.ended(slot.is_exported);
    let ended = seat.with(|Attached { core, producers }| {
        let end = match time {
            None => core.now_of(&slot, seat),
            Some(time) => unix_nanos(time),
        };
        if core.has_processors {
            return Some((Arc::clone(core), slot, end));
        }
        if slot.is_exported {
            export(producers, &slot, end);
        }
        core.put_away(seat, slot);
        None
    });
    if let Some(Some((core, slot, end))) = ended {
        core.end_with_processors(seat, span, slot, end);
    }
}

#[inline(always)]
fn export(producers: &[Producer], slot: &Slot, end: u64) {
    let Some(parts) = &slot.parts else { return };
    for producer in producers {
        // What is not taken is counted by the pipeline.
        let _ = producer.record_span(&parts.encoded, &slot.recorder, end, &slot.status);
    }
}

impl Core {
    /// Has the processors see the span, while it can still be written to and when it has ended.
    #[cold]
    #[inline(never)]
    fn end_with_processors(&self, seat: &Seat, span: &mut Span, mut slot: Box<Slot>, end: u64) {
        slot.is_ending = true;
        span.put_slot(slot);
        for processor in self.processors() {
            contain(|| processor.on_ending(span));
        }
        let Some(slot) = span.take_slot() else { return };
        let Some(parts) = slot.parts.clone() else {
            return;
        };
        let mut encoded = ENCODED.take();
        encoded.clear();
        slot.recorder.finish(end, &slot.status, &mut encoded);
        let ended = FinishedSpan::new(&encoded, span.context(), &slot, &parts, &self.resource);
        for stage in &self.stages {
            match stage {
                Stage::Processor(processor) => contain(|| processor.on_end(&ended)),
                Stage::Pipeline(pipeline) if slot.is_exported => {
                    let _ = pipeline.record(&parts.encoded, |out| out.extend_from_slice(&encoded));
                }
                Stage::Pipeline(_) => {}
            }
        }
        ENCODED.set(encoded);
        self.put_away(seat, slot);
    }

    #[inline(always)]
    fn put_away(&self, seat: &Seat, slot: Box<Slot>) {
        let dropped = slot.recorder.dropped_attributes()
            | slot.recorder.dropped_events()
            | slot.recorder.dropped_links();
        if dropped != 0 {
            complain(&slot);
        }
        seat.put_slot(self, slot);
    }
}

thread_local! {
    /// The bytes that processors look at, reused from span to span.
    static ENCODED: std::cell::Cell<Vec<u8>> = const { std::cell::Cell::new(Vec::new()) };
}

#[cold]
#[inline(never)]
fn complain(slot: &Slot) {
    tracing::warn!(
        name: "SpanLimitExceeded",
        span = slot.recorder.name(),
        dropped_attributes = slot.recorder.dropped_attributes(),
        dropped_events = slot.recorder.dropped_events(),
        dropped_links = slot.recorder.dropped_links(),
        "a span held more than its limits allow, or a value of an unsupported kind: the rest was discarded; raise the \
         OTEL_SPAN_*_COUNT_LIMIT that applies, or record less"
    );
}
