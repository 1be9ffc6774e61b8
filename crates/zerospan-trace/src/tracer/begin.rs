//! How a span starts.

use super::Tracer;
use crate::clock::Reading;
use crate::core::contain;
use crate::local::{self, Local, Seat};
use crate::parent::{Asked, Content, Found, Lineage, Origin, Parent, context_of, unboxed};
use crate::sampler::Decision;
use crate::slot::Slot;
use crate::span::Span;
use opentelemetry::Context;
use opentelemetry::trace::{
    Span as _, SpanContext, SpanId, SpanKind, TraceFlags, TraceId, TraceState,
};
use opentelemetry_sdk::trace::{SamplingDecision, SamplingResult, ShouldSample};
use std::sync::Arc;
use zerospan_otlp::{SpanStart, unix_nanos};

impl Tracer {
    /// Starts a span.
    #[inline(always)]
    pub(crate) fn begin(&self, name: &str, asked: &Asked<'_>) -> Span {
        // Known where it is called, mostly.
        if asked.is_plain() {
            self.begin_child(name, asked.kind.clone())
        } else {
            self.begin_asked(name, asked)
        }
    }

    /// Starts a child of the span in force.
    fn begin_child(&self, name: &str, kind: SpanKind) -> Span {
        // The parts of the span's context come back as words: moving it right after it was written costs more than all the
        // rest of this function.
        let mut begun = Begun::default();
        if self.core().is_plain()
            && local::if_there(|local| self.begin_plainly(local, name, kind.clone(), &mut begun))
        {
            return begun.into_span();
        }
        let mut asked = Asked::child_of(Parent::InForce);
        asked.kind = kind;
        self.begin_asked(name, &asked)
    }

    #[inline(never)]
    fn begin_asked(&self, name: &str, asked: &Asked<'_>) -> Span {
        if self.core().wants_context {
            return self.begin_told(name, asked);
        }
        let mut begun = Begun::default();
        local::with(|local| self.begin_on::<false>(local, name, asked, &mut begun, &mut None));
        begun.into_span()
    }

    /// The usual way: the thread has a seat, and the parent, if there is one, has no trace state. `false` where it is not
    /// so, and then nothing is done.
    #[inline(always)]
    fn begin_plainly(&self, local: &Local, name: &str, kind: SpanKind, begun: &mut Begun) -> bool {
        let core = self.core();
        let Some(seat) = local.seat_taken(core.id()) else {
            return false;
        };
        let mut parent = Lineage::NONE;
        if !parent.find(&local.scopes) {
            return false;
        }
        let (trace_id, span_id) = core.ids.next(&local.ids, parent.trace_id);
        begun.set_ids(trace_id, span_id);
        let Decision::Is(decision) = core.sampler.decide(&parent, trace_id) else {
            return false;
        };
        let Some(is_exported) = seat.counts.begun(&decision) else {
            return true;
        };
        let trace_flags = parent.flags.with_sampled(is_exported);
        begun.flags = trace_flags.to_u8();
        let mut slot = self.slot(seat, is_exported);
        slot.start = core.clock.read(&seat.anchor);
        slot.recorder.begin(&SpanStart {
            trace_id,
            span_id,
            trace_state: None,
            trace_flags,
            parent_span_id: parent.span_id,
            parent_is_remote: parent.is_remote,
            name,
            kind,
            unix_nanos: slot.start.unix,
        });
        begun.slot = Some(slot);
        true
    }

    /// Starts a span where a sampler or a processor wants a `Context`.
    #[cold]
    fn begin_told(&self, name: &str, asked: &Asked<'_>) -> Span {
        let (mut begun, mut parent) = (Begun::default(), None);
        local::with(|local| self.begin_on::<true>(local, name, asked, &mut begun, &mut parent));
        let mut span = begun.into_span();
        if span.is_recording() {
            let parent = parent.unwrap_or_default();
            for processor in self.core().processors() {
                contain(|| processor.on_start(&mut span, &parent));
            }
        }
        span
    }

    /// `context` is filled where the parent's is `WANTED`.
    fn begin_on<const WANTED: bool>(
        &self,
        local: &Local,
        name: &str,
        asked: &Asked<'_>,
        begun: &mut Begun,
        context: &mut Option<Context>,
    ) {
        let core = self.core();
        let Some(Found { parent, is_native }) = Found::by(asked.parent, &local.scopes) else {
            return;
        };
        let seat = local.seat(core);
        if core.is_closed() {
            seat.counts().refused.raise();
            begun.pass_on(parent);
            return;
        }
        let (trace_id, span_id) = core.ids.next(&local.ids, parent.lineage.trace_id);
        begun.set_ids(trace_id, span_id);
        if WANTED {
            *context = Some(context_of(asked.parent, is_native.then_some(&parent)));
        }
        let birth = Birth {
            trace_id,
            span_id,
            parent: &parent,
            name,
            asked,
        };
        match core.sampler.decide(&parent.lineage, trace_id) {
            Decision::Is(decision) => {
                let state = parent.trace_state.as_deref();
                self.record(seat, &birth, &decision, state, begun);
                begun.trace_state = parent.trace_state;
            }
            Decision::Ask(sampler) => {
                let said = ask(sampler, context.as_ref(), trace_id, name, asked);
                let state = (said.trace_state != TraceState::NONE).then_some(&said.trace_state);
                self.record(seat, &birth, &said.decision, state, begun);
                if let Some(slot) = &mut begun.slot {
                    slot.recorder.extend(&said.attributes);
                }
                begun.trace_state = state.cloned().map(Box::new);
            }
        }
    }

    /// Fills a slot for the span, unless the sampler dropped it.
    #[inline(always)]
    fn record(
        &self,
        seat: &Seat,
        birth: &Birth<'_>,
        decision: &SamplingDecision,
        trace_state: Option<&TraceState>,
        begun: &mut Begun,
    ) {
        let core = self.core();
        let Some(is_exported) = seat.counts().begun(decision) else {
            return;
        };
        let (parent, asked) = (&birth.parent.lineage, birth.asked);
        let trace_flags = parent.flags.with_sampled(is_exported);
        begun.flags = trace_flags.to_u8();
        let mut slot = self.slot(seat, is_exported);
        match asked.start_time {
            None => slot.start = core.clock.read(&seat.anchor),
            Some(time) => {
                slot.start = Reading::given(unix_nanos(time));
                slot.start_is_given = true;
            }
        }
        slot.recorder.begin(&SpanStart {
            trace_id: birth.trace_id,
            span_id: birth.span_id,
            trace_state,
            trace_flags,
            parent_span_id: parent.span_id,
            parent_is_remote: parent.is_remote,
            name: birth.name,
            kind: asked.kind.clone(),
            unix_nanos: slot.start.unix,
        });
        if let Some(content) = &asked.content {
            fill(&mut slot, content);
        }
        begun.slot = Some(slot);
    }

    #[inline(always)]
    fn slot(&self, seat: &Seat, is_exported: bool) -> Box<Slot> {
        let mut slot = seat.take_slot(self.core());
        slot.generation = seat.generation();
        slot.is_exported = is_exported;
        match &slot.parts {
            Some(parts) if Arc::ptr_eq(parts, &self.parts) => {}
            _ => slot.parts = Some(Arc::clone(&self.parts)),
        }
        slot
    }
}

/// What a span is when nothing is recorded of it yet.
struct Birth<'a> {
    trace_id: TraceId,
    span_id: SpanId,
    parent: &'a Origin,
    name: &'a str,
    asked: &'a Asked<'a>,
}

/// What a span begins as: its context taken apart into words, and its slot if it is recorded.
#[derive(Default)]
struct Begun {
    /// The high half, then the low one.
    trace_id: (u64, u64),
    span_id: u64,
    flags: u8,
    /// Only where the context is the parent's own.
    is_remote: bool,
    trace_state: Option<Box<TraceState>>,
    slot: Option<Box<Slot>>,
}

impl Begun {
    #[inline(always)]
    fn into_span(self) -> Span {
        let trace_id = (u128::from(self.trace_id.0) << 64) | u128::from(self.trace_id.1);
        let context = SpanContext::new(
            TraceId::from(trace_id),
            SpanId::from(self.span_id),
            TraceFlags::new(self.flags),
            self.is_remote,
            unboxed(self.trace_state),
        );
        Span::new(context, self.slot)
    }

    /// Is no span, and carries the parent's context on as it is: what the specification asks of the API where no SDK is
    /// installed, so that a trace does not break at a service that records nothing.
    #[cold]
    fn pass_on(&mut self, parent: Origin) {
        let lineage = parent.lineage;
        self.set_ids(lineage.trace_id, lineage.span_id);
        self.flags = lineage.flags.to_u8();
        self.is_remote = lineage.is_remote;
        self.trace_state = parent.trace_state;
    }

    #[inline]
    fn set_ids(&mut self, trace_id: TraceId, span_id: SpanId) {
        let trace_id = u128::from_be_bytes(trace_id.to_bytes());
        self.trace_id = ((trace_id >> 64) as u64, trace_id as u64);
        self.span_id = u64::from_be_bytes(span_id.to_bytes());
    }
}

#[cold]
fn ask(
    sampler: &dyn ShouldSample,
    parent: Option<&Context>,
    trace_id: TraceId,
    name: &str,
    asked: &Asked<'_>,
) -> SamplingResult {
    let content = asked.content.unwrap_or_default();
    sampler.should_sample(
        parent,
        trace_id,
        name,
        &asked.kind,
        content.attributes,
        content.links,
    )
}

fn fill(slot: &mut Slot, content: &Content<'_>) {
    slot.recorder.extend(content.attributes);
    for link in content.links {
        slot.recorder.add_link(&link.span_context, &link.attributes);
    }
    for event in content.events {
        slot.recorder
            .add_event(&event.name, unix_nanos(event.timestamp), &event.attributes);
    }
}
